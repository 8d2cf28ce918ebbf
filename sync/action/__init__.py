"""The GitHub Action: its inputs, annotations, outputs and comments."""
