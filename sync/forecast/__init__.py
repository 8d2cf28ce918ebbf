"""Forecasts: how likely dates are to hold, which deadline holds, what lengths turned out to be."""
