"""What every service over HTTP has to bear: a fault at each request, an end at each, races, lists that lag.

A new service joins in `tests.connectors.stands`. What only one service does is tried in a file of its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BackplanError, CredentialsError, InputError, RefusedError
from connectors.http import Api
from sync.run import executor, pipeline, reading, work
from sync.run.homes import Binding
from tests import tiers
from tests.connectors import shapes
from tests.connectors.contract import TODAY, World, run
from tests.connectors.scenarios import Killed, scenario_deadline, scenario_done, scenario_first, scenario_removed
from tests.connectors.stand import TablePerson
from tests.connectors.stands import STANDS
from tests.servers.http import Fault, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import requests

    from connectors.service import ServiceConnector
    from tests.conftest import Person
    from tests.connectors.stand import Stand
    from tests.servers.http import Request

    Scenario = Callable[[World], None]

MEMORY = "backplan's memory, keep this"
FAULTS = [fault for fault in Fault if fault not in (Fault.TIMEOUT, Fault.UNAUTHORIZED)]  # which take long, or are final
# Which services may take in ways of their own; all others are overcome by what the services share.
FAULTS_OF_OTHERS = (Fault.LOST, Fault.TRUNCATED, Fault.HTML_200, Fault.EMPTY_200)


def scenario_new(world: World) -> None:
    """Steps are added, so that what is remembered takes more room."""
    world.sync()
    world.goal["steps"] += [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(4)]


def scenario_refused(world: World) -> None:
    """A step leaves the file, and the token may not delete."""
    scenario_removed(world)
    person: Any = world.service
    if not getattr(person, "refuses_to_delete", False):
        world.skip("token that may not delete (refuses_to_delete)")
    person.table.forbidden |= {route for route in person.server.shape.routes if route.startswith("DELETE")}


SCENARIOS = (scenario_first, scenario_deadline, scenario_removed, scenario_done, scenario_refused)


@dataclass(frozen=True)
class Life:
    """A service in which a scenario is about to happen."""

    stand: Stand
    scenario: Scenario
    folder: Path
    server: Any
    world: World

    def connect(self, **said: Any) -> ServiceConnector:
        return self.stand.connect(self.server, **said)

    def run(self, **said: Any) -> Any:
        return run(self.world.project, [self.connect(**said)], TODAY)

    @property
    def titles(self) -> list[str]:
        person: Any = self.world.service
        return person.titles()  # type: ignore[no-any-return]  # whoever it is

    def assert_nothing_is_there_twice(self) -> None:
        ours = [title for title in self.titles if title != MEMORY]
        assert len(ours) == len(set(ours))

    def assert_all_is_well(self) -> None:
        """After one clean run each task is there exactly once, with one memory, and the next run has nothing to do."""
        self.server.faults.clear()
        assert self.run().errors == []
        again = self.connect()
        assert run(self.world.project, [again], TODAY).silent
        assert again.requests.write == 0
        steps = {step["title"] for step in self.world.goal["steps"]}
        left = {"Go on"} if self.scenario is scenario_refused else set()  # closed, and nobody's
        assert self.titles == sorted({"Reach it", *steps, *left, "Buy milk", MEMORY})


IN_ALL = STANDS[:2]  # one that is safe, and one that is exact; Todoist, which is unique, has sweeps of its own


def begin(stand: Stand, scenario: Scenario, folder: Path, server: Any) -> Life:
    world = World(stand.person(stand, server), folder)
    world.service.add_foreign_task("Buy milk")
    scenario(world)
    return Life(stand, scenario, folder, server, world)


def lives(stand: Stand, scenario: Scenario, folder: Path) -> Iterator[tuple[int, Life]]:
    """Yield a new life for each request of the run that comes then, with the number of that request.

    What a fault does is up to the kit, which all services share: the others, and the test command, have
    it at every fourth request.
    """
    with stand.server() as server:
        life = begin(stand, scenario, folder, server)
        before = server.count()
        life.run()
        number = server.count() - before
    for at in range(0, number, 1 if stand in IN_ALL and not tiers.quick else 4):
        with stand.server() as server:
            yield at, begin(stand, scenario, folder, server)


def both(scenarios: tuple[Scenario, ...], *, classes: bool = True) -> pytest.MarkDecorator:
    """Try the services in scenarios: those of `IN_ALL` in all of them, others in the first.

    The test command has the first service in the first scenario. classes: whether the class of reliability makes a
    difference; otherwise, only the first service is tried in all of them.
    """
    in_all = IN_ALL if classes else STANDS[:1]
    cases = [
        pytest.param(stand, scenario, id=f"{stand.name}-{scenario.__name__}", marks=pytest.mark.proof if m + n else ())
        for (m, stand), (n, scenario) in product(enumerate(STANDS), enumerate(scenarios))
        if stand in in_all or n == 0
    ]
    return pytest.mark.parametrize(("stand", "scenario"), cases)


def of_each(stands: list[Stand]) -> pytest.MarkDecorator:
    """Try every one of these; the test command has the first of them."""
    cases = [
        pytest.param(stand, id=stand.name, marks=pytest.mark.proof if number else ())
        for number, stand in enumerate(stands)
    ]
    return pytest.mark.parametrize("stand", cases)


each = of_each([*STANDS])
each_table = of_each(
    [stand for stand in STANDS if isinstance(stand.person, type) and issubclass(stand.person, TablePerson)]
)


def scenario_in_use(world: World) -> None:
    world.sync()


@pytest.fixture
def life(stand: Stand, tmp_path: Path) -> Iterator[Life]:
    """A service in use: our tasks beside one of a person."""
    with stand.server() as server:
        found = begin(stand, scenario_in_use, tmp_path, server)
        yield found


# Faults


@both(SCENARIOS)
def test_one_fault_anywhere_is_overcome_within_the_run(stand: Stand, scenario: Scenario, tmp_path: Path) -> None:
    for fault in FAULTS if stand is STANDS[0] else FAULTS_OF_OTHERS:
        for at, life in lives(stand, scenario, tmp_path):
            life.server.faults.at(at, fault)
            done = life.run()
            assert (done.errors, done.found.unread) == ([], {}), (at, fault)
            life.assert_all_is_well()


@both(SCENARIOS)
def test_a_run_that_ends_at_any_request_is_finished_by_the_next(
    stand: Stand, scenario: Scenario, tmp_path: Path
) -> None:
    """From there on nothing is answered any more, in a run that has little time to wait."""
    for fault in (Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.UNAUTHORIZED):
        for at, life in lives(stand, scenario, tmp_path):
            life.server.faults.at(at, fault)
            life.server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            with suppress(BackplanError):
                life.run(budget=60)
            life.assert_nothing_is_there_twice()
            life.assert_all_is_well()


@both(SCENARIOS)
def test_killed_after_any_request(stand: Stand, scenario: Scenario, tmp_path: Path) -> None:
    killed = tried = 0
    for at, life in lives(stand, scenario, tmp_path):
        sent = [at]
        tried += 1

        class Dying(Api):
            def _answered(self, response: requests.Response, sent: list[int] = sent) -> requests.Response:
                if not sent[0]:
                    raise Killed
                sent[0] -= 1
                return super()._answered(response)

        try:
            life.run(api=Dying)
        except Killed:
            killed += 1
        life.assert_all_is_well()
    assert killed >= tried - 1  # the first request may be for a token


@both((scenario_first, scenario_new), classes=False)
def test_a_memory_of_several_tasks_is_as_safe_as_one(
    stand: Stand, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = stand.connector.service
    monkeypatch.setattr(service, "limits", replace(service.limits, text=720))
    for at, life in lives(stand, scenario, tmp_path):
        life.server.faults.at(at, Fault.LOST)
        life.server.faults.at(at + 1, Fault.NOT_SENT, 1000)
        with suppress(BackplanError):
            life.run(budget=60)
        life.server.faults.clear()
        assert life.run().errors == [], at
        life.world.sync()
        life.assert_nothing_is_there_twice()
        one = life.connect()
        one.read()
        stored = one._read_once().stored
        assert len(stored.rows) > 1
        assert stored.spare == ()


@each
def test_the_answer_to_every_request_is_lost_once(stand: Stand, tmp_path: Path) -> None:
    """What was written before its answer was lost is there already when it is written again."""
    with stand.server() as server:
        life = begin(stand, scenario_deadline, tmp_path, server)
        seen = set()

        def judge(index: int, method: str, path: str) -> Fault | None:
            first = (method, path) not in seen
            seen.add((method, path))
            return Fault.LOST if first else None

        server.faults.judge(judge)
        assert life.run().errors == []
        life.assert_all_is_well()


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY_APPLIED])
@each_table
def test_a_list_that_lags_makes_nothing_twice(stand: Stand, fault: Fault, tmp_path: Path) -> None:
    for at, life in lives(stand, scenario_first, tmp_path):
        life.server.table.settles = 1.5
        life.server.faults.at(at, fault)
        assert life.run().errors == []
        life.server.table.now += timedelta(seconds=2)
        life.assert_all_is_well()


@pytest.mark.parametrize("ahead", [0, *(pytest.param(ahead, marks=pytest.mark.proof) for ahead in (1, 2, 3))])
@both(SCENARIOS[:-1])
def test_two_runs_that_race_are_put_right_by_the_next(
    stand: Stand, scenario: Scenario, ahead: int, tmp_path: Path
) -> None:
    """Both read before either writes, and then their requests take turns."""
    with stand.server() as server:
        life = begin(stand, scenario, tmp_path, server)
        ones = [life.connect(), life.connect()]
        runs = [_execute(life.world, one) for one in ones]
        answers: list[Any] = [None, None]
        for turn in [0] * ahead + [1, 0] * 10:
            with suppress(StopIteration):
                request = runs[turn].send(answers[turn])
                answers[turn] = ones[turn].apply(request.batch)
            if stand.connector.capabilities.client_ids:
                life.assert_nothing_is_there_twice()
        life.run()  # nobody has to allow anything
        life.assert_all_is_well()


def _execute(world: World, one: ServiceConnector) -> Generator[work.Request, Any, object]:
    homes = (Binding(one, frozenset({"g"})),)
    return executor.execute(
        pipeline.make_plans(reading.read(world.project, homes, TODAY)), {one.label: one.capabilities}
    )


# What an answer says


@each
def test_a_list_that_is_empty_is_not_believed_at_once(life: Life) -> None:
    """Whichever of the requests of a read it is that says so."""
    before, server = life.world.tasks(), life.server
    asked = server.count()
    life.connect().read()
    for at in range(server.count() - asked):
        server.faults.at(at, Fault.EMPTY_200)
        with suppress(BackplanError):
            assert life.run().silent, at
        server.faults.clear()
        assert life.world.tasks() == before, at


def _ends(stand: Stand, folder: Path, how: shapes.Bend | None) -> tuple[object, list[shapes.Bend]]:
    """Return how it all stands after a run with a bent answer and one without, and what else could have been bent."""
    with stand.server() as server:
        life = begin(stand, scenario_removed, folder, server)
        world = life.world
        world.service.set_title(world.native_id("g/one"), "My own words")
        world.sync()
        world.step("one", title="The file's words", who="jasmine", labels=["home"])
        found = shapes.record(server) if how is None else []
        if how is not None:
            shapes.bend(server, how)
        with suppress(BackplanError):
            life.run()
        server.bend = None
        assert life.run().errors == []
        assert life.run().silent
        tasks = {key: (task.content, task.done) for key, task in world.tasks().items()}
        return (tasks, life.titles), found


@each_table
def test_an_answer_of_another_shape_is_an_error_and_harms_nothing(
    stand: Stand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    expected, found = _ends(stand, folder, None)
    left_out: frozenset[str] = getattr(stand.person, "left_out", frozenset())
    bends = [how for how in found if how.retyped or how.path[-1] not in left_out]

    @settings(max_examples=10 if tiers.quick else 60)
    @given(st.sampled_from(bends))
    def holds(how: shapes.Bend) -> None:
        assert _ends(stand, folder, how)[0] == expected

    holds()


@each_table
def test_all_pages_are_read(life: Life) -> None:
    life.server.table.most = 2
    asked = life.server.count()
    assert life.world.sync().actions == {}
    assert life.server.count() - asked > 6


@each_table
def test_a_limit_that_says_no_time_is_waited_for(life: Life) -> None:
    rest = life.stand.connector.service.http.rest
    if not rest:
        life.world.skip("limit without the seconds to wait (rest)")
    life.world.goal["deadline"] = "2027-10-07"
    life.server.faults.retry_after = 0
    life.server.faults.at(3, Fault.RATE_LIMITED)
    before = life.server.table.now
    life.world.sync()
    assert timedelta(seconds=rest) <= life.server.table.now - before < timedelta(seconds=rest + 60)


@each
def test_what_does_not_fit_into_a_run_is_told_before_and_waits_for_the_next(life: Life) -> None:
    life.world.goal["steps"] += [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(12)]
    done = life.run(budget=31)
    (plan,) = done.plans
    assert done.errors == []
    assert plan.budget is not None
    assert plan.budget.waiting > 0
    assert str(plan.budget).endswith("of them wait for a later run")
    waiting = [change.key for change in plan.writes if change.status == "skipped"]
    assert len(waiting) == plan.budget.waiting
    assert run(life.world.project, [life.connect()], TODAY).errors == []
    life.assert_all_is_well()


# The memory


@each
def test_a_memory_that_was_ticked_counts_and_one_that_is_gone_or_damaged_stops_the_run(life: Life) -> None:
    person: Any = life.world.service
    person.tick(person.memory())
    assert life.world.sync().actions == {}
    person.damage_memory()
    with pytest.raises(RefusedError, match=r"a line of the memory is damaged"):
        life.run()
    person.delete(person.memory())
    with pytest.raises(RefusedError, match=rf"beside our 4 tasks is gone\. {life.stand.connector.service.remedy}"):
        life.run()
    assert run_rebuilt(life).errors == []
    life.assert_all_is_well()


def run_rebuilt(life: Life) -> Any:
    """Run once, as `sync --rebuild` does."""
    from tests.histories.process import Run

    homes = (Binding(life.connect(), frozenset({"g"})),)
    found = reading.read(life.world.project, homes, TODAY, rebuild=True)
    return Run(found, pipeline.apply(pipeline.make_plans(found), homes, lambda _: None))


# Whom a token is shown to


@each
def test_a_wrong_token_is_named_and_not_tried_again(stand: Stand) -> None:
    credential = stand.connector.credential
    with stand.server() as server:
        with pytest.raises(
            CredentialsError,
            match=f"{credential.service} does not accept the {credential.kind} in {credential.variable}",
        ):
            stand.connect(server, token="wrong").read()  # noqa: S106  # it is none
        assert server.count() == 1


@each
def test_no_token_follows_to_another_host(stand: Stand) -> None:
    with stand.server() as server, stand.server() as other:

        def moved(request: Request, response: Response) -> Response:
            return Response(302, headers=(("Location", f"{other.url}{request.path}"),))

        server.bend = moved
        with pytest.raises(BackplanError, match="unexpected or incomplete response"):
            stand.connect(server, budget=1).read()
        assert other.log == []


# Settings, and the real command


GOALS = """namespace: me/goals
sync:
  - {place}
goals: [{{id: g, title: Reach it, deadline: 2027-09-30, steps: [{{id: one, title: Begin}}, {{id: two, title: Go on}}]}}]
"""


@each
def test_wrong_settings_are_named_with_their_place(stand: Stand, person: Person) -> None:
    (name, field), *_ = stand.connector.options.model_fields.items()
    column = len("  - ") + len(stand.name) + len(": {") + 1
    cases = {
        f"{name}s: x": (column, f"invalid option `{name}s`; did you mean `{name}`?"),
        f"{name}: 7": (column, f"invalid `{name}: 7`; expected {field.description}"),
    }
    if field.is_required():
        cases[""] = (5, f"`{name}` is missing; expected {field.description}")
    for options, (place, words) in cases.items():
        person.writes(GOALS.format(place=f"{stand.name}: {{{options}}}"))
        done = person.run("check")
        assert done.code == InputError.exit_code
        assert f"goals.yaml:3:{place}: {stand.name}: {words}" in done.err


@each
def test_the_command_syncs_and_doctor_tells_what_there_is(stand: Stand, person: Person) -> None:
    options = ", ".join(f"{name}: {value}" for name, value in stand.options.items())
    person.writes(GOALS.format(place=f"{stand.name}: {{{options}}}"))
    credential = stand.connector.credential
    with stand.server() as server:
        env = stand.environment(server)
        person.writes(f"{env.pop(credential.variable)}\n", "token")
        env[f"{credential.variable}_FILE"] = str(person.folder / "token")
        assert person.run("sync", env=env).code == 0
        assert "nothing to do" in person.run("sync", env=env).out
        (told,) = person.run("doctor", "--json", env=env).json["connectors"]
        assert {fact["ok"] for fact in told["facts"]} == {True}
        assert {credential.kind, "account"} <= {fact["what"] for fact in told["facts"]}
        del env[f"{credential.variable}_FILE"]
        for name, kind in {**credential.also, credential.variable: credential.kind}.items():
            missing = person.run("sync", env={**env, name: ""})
            assert missing.code == CredentialsError.exit_code
            assert f"{credential.service}'s {kind} is missing: " in missing.err
            assert name in missing.err
        refused = person.run("sync", env={**env, credential.url_variable: "http://x.example.org"})
        assert refused.code == InputError.exit_code
