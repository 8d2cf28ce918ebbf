"""The GitHub workflow that updates tasks from a goals file: `backplan init` writes it, the documentation shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config import goal_form
from config.edit import quoted
from connectors import registry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from config.settings import Credential

PATH = ".github/workflows/backplan.yml"
ACTION = "OWNER/backplan@v1"
CHECKOUT = "actions/checkout@df4cb1c069e1874edd31b4311f1884172cec0e10 # v6.0.3"
_UPLOAD_PAGES = "actions/upload-pages-artifact@7b1f4a764d45c48632c6b24a0339c27f5614fb0b # v4.0.0"
_DEPLOY_PAGES = "actions/deploy-pages@d6db90164ac5ed86f2b6aed7e0febac5b3c0c03e # v4.0.5"
_UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
SITE = "backplan-site"  # the folder, and the artifact where there are no Pages
PLACES = ("pages", "artifact")  # where the page can be published
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9/._-]*\.ya?ml")
_DEFAULTS = ("goals.yaml", "config/goals.yaml")

# A minute that nobody else chooses: at full hours GitHub starts runs late, or not at all.
_ON = """\
on:
  schedule:
    - cron: "17 5 * * *" # every day at 5:17, in UTC
  workflow_dispatch: # the button "Run workflow", and what it asks
    inputs:
      plan-only:
        description: Only show what would change
        type: boolean
        default: false
      allow-mass-change:
        description: Allow removing most tasks at once
        type: boolean
        default: false
      rebuild:
        description: Start a new memory, if backplan's own was lost
        type: boolean
        default: false
"""

# Without the button there are no such inputs: an empty text, which counts as false.
_ASKED = {
    "command": "${{ inputs.plan-only && 'plan' || 'sync' }}",
    "allow-mass-change": "${{ inputs.allow-mass-change || 'false' }}",
    "rebuild": "${{ inputs.rebuild || 'false' }}",
}

_QUEUE = """\
permissions: {}

concurrency: # one run at a time; the next one waits
  group: backplan-${{ github.event.pull_request.number || 'tasks' }}
  cancel-in-progress: false

jobs:
"""

# With a branch, and without a commit, the checkout takes the branch's newest commit. For a schedule, and for what
# happens to issues, the ref is the default branch; a name alone (`ref_name`) could be a tag's as well.
_TIP = "          ref: ${{ github.ref }} # the branch's newest files, also where the run waited or is started again\n"

_DEFAULT_BRANCH = "github.event_name == 'schedule' || github.ref_name == github.event.repository.default_branch"
_IF_DEFAULT_BRANCH = f"    if: {_DEFAULT_BRANCH}\n"
# Anybody can open an issue in a public repository: only a form is worth a run.
_IF_FORM = f"""\
    if: >-
      ({_DEFAULT_BRANCH}) &&
      (github.event_name != 'issues' || contains(github.event.issue.labels.*.name, '{goal_form.LABEL}'))
"""

_COMMIT = """\
      - name: Keep the list
        if: ${{ !cancelled() }}
        run: |
          git add -- '*.md'
          git diff --cached --quiet && exit
          git config user.name 'github-actions[bot]'
          git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
          git commit --quiet --message 'backplan: the list is up to date'
          git push --quiet || {
            printf '%s%s%s\\n' '::error title=backplan::The list could not be pushed; nothing is lost. ' \\
              'Did somebody push in the meantime? Start a new run (Actions > backplan > Run workflow). ' \\
              'Is the branch protected? Let github-actions push to it.'
            exit 1
          }
"""

# The files are the work of the job before: this one has no checkout, and only the rights that a deployment needs.
_DEPLOYMENT_OF = (
    "\n  page: # everybody can read it at the address below, also where the repository is private\n    needs: sync\n"
)
_DEPLOYMENT = f"""\
    runs-on: ubuntu-latest
    timeout-minutes: 15
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{{{ steps.deployment.outputs.page_url }}}}
    steps:
      - id: deployment
        uses: {_DEPLOY_PAGES}
"""


def text(goals: str, apps: Collection[str], publish: str | None = None, *, forms: bool = False) -> str:
    """Return the workflow for a goals file, by its path in the repository, whose tasks go to these apps.

    publish: one of `PLACES`, or None where the page stays unpublished. forms: it takes in forms for new goals.
    """
    return "".join(_parts(goals, apps, publish, forms=forms))


def _parts(goals: str, apps: Collection[str], publish: str | None, *, forms: bool) -> Iterator[str]:
    yield f"# Keeps the tasks in line with {goals}: every day, and at once when that file changes.\n"
    yield "name: backplan\n\n"
    yield _ON
    watched = [_yaml(goals), PATH, *(['"**.md"'] if registry.EMBEDDED in apps else [])]
    yield f"  push:\n    paths: [{', '.join(watched)}]\n"
    yield f"  pull_request:\n    paths: [{_yaml(goals)}]\n"
    issues = "issues" in _permissions(apps)
    if issues:
        opened = "opened, " if forms else ""
        what = (
            "a form for a new goal, and what is closed, count at once"
            if forms
            else "what is closed there counts at once"
        )
        yield f"  issues: # {what}\n    types: [{opened}closed, reopened, edited, deleted]\n"
    elif forms:
        yield "  issues: # a form for a new goal counts at once\n    types: [opened, edited, reopened]\n"
    yield f"\n{_QUEUE}"
    condition = _IF_FORM if forms and not issues else _IF_DEFAULT_BRANCH
    yield f"  sync:\n{condition}"
    yield from _sync(goals, apps, publish, forms=forms)
    if publish == "pages":
        yield f"{_DEPLOYMENT_OF}{condition}{_DEPLOYMENT}"
    yield from _plan(goals, apps)


def _sync(goals: str, apps: Collection[str], publish: str | None, *, forms: bool) -> Iterator[str]:
    listed = registry.EMBEDDED in apps
    written = " and ".join([*(["the list"] if listed else []), *(["goals of forms"] if forms else [])])
    rights = _permissions(apps) | ({"issues": "write"} if forms else {})
    yield from _job({"contents": "write" if written else "read"} | rights)
    inputs = _ASKED | ({"forms": "true"} if forms else {}) | ({"page": SITE} if publish else {})
    if publish == "pages":
        inputs["page-url"] = "https://${{ github.repository_owner }}.github.io/${{ github.event.repository.name }}"
    yield from _steps(goals, apps, newest=True, history=bool(publish), pushed=written, **inputs)
    if listed:
        yield _COMMIT
    if publish == "pages":
        yield f"      - uses: {_UPLOAD_PAGES}\n        with:\n          path: {SITE}\n"
    if publish == "artifact":
        yield f"      - uses: {_UPLOAD}\n        with:\n          name: {SITE}\n          path: {SITE}\n"


def _plan(goals: str, apps: Collection[str]) -> Iterator[str]:
    yield "\n  plan: # what a pull request would change, as a comment on it\n"
    yield "    if: github.event_name == 'pull_request'\n"
    yield from _job({"contents": "read"} | dict.fromkeys(_permissions(apps), "read") | {"pull-requests": "write"})
    yield from _steps(goals, apps, command="plan", comment="true")


def _job(permissions: dict[str, str]) -> Iterator[str]:
    yield "    runs-on: ubuntu-latest\n    timeout-minutes: 15\n    permissions:\n"
    yield from (f"      {name}: {value}\n" for name, value in permissions.items())


def _steps(
    goals: str,
    apps: Collection[str],
    *,
    newest: bool = False,
    history: bool = False,
    pushed: str = "",
    **inputs: str,
) -> Iterator[str]:
    yield f"    steps:\n      - uses: {CHECKOUT}\n        with:\n"
    if newest:
        yield _TIP
    if history:
        yield "          fetch-depth: 0 # the page shows the deadlines that a goal has had\n"
    yield f"          persist-credentials: {f'true # to push {pushed}' if pushed else 'false'}\n"
    if goals not in _DEFAULTS:
        inputs = {"goals": _yaml(goals), **inputs}
    secrets = {name: f"${{{{ secrets.{name} }}}}" for found in _credentials(apps) for name in found.variables}
    yield f"      - uses: {ACTION}\n"
    for word, values in (("with", inputs), ("env", secrets)):
        if values:
            yield f"        {word}:\n"
            yield from (f"          {name}: {value}\n" for name, value in values.items())


def _permissions(apps: Collection[str]) -> dict[str, str]:
    """Return what the workflow's own token has to be granted, where it serves for an app."""
    found = (one for app in apps if (one := registry.credential(app)))
    return {name: right for one in found for name, right in one.permissions.items()}


def _credentials(apps: Collection[str]) -> list[Credential]:
    """Return the tokens that have to be handed on as secrets, in an order that does not hang on that of `apps`."""
    found = (one for app in sorted(apps) if (one := registry.credential(app)))
    return [one for one in found if not one.permissions]


def _yaml(path: str) -> str:
    """Return a path for YAML, also for a list on one line."""
    return path if _PLAIN.fullmatch(path) else quoted(path)
