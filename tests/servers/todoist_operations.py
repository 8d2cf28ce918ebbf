"""What can be done with tasks, projects, sections, labels and comments of Todoist, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.servers import todoist_rules as rules
from tests.servers.todoist_store import Kind, Store, Thing, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    Args = Mapping[str, Any]

PLACES = ("project_id", "section_id", "parent_id")
COPIED = ("content", "description", "labels", "priority", "due", "deadline", "duration", "responsible_uid")
_NEW_TASK: Thing = {
    "description": "",
    "labels": [],
    "priority": 1,
    "due": None,
    "deadline": None,
    "duration": None,
    "checked": False,
    "is_deleted": False,
    "is_collapsed": False,
    "day_order": -1,
    "note_count": 0,
    "responsible_uid": None,
    "assigned_by_uid": None,
    "completed_at": None,
    "completed_by_uid": None,
    "completed_count": 0,
    "postponed_count": 0,
    "goal_ids": [],
}
_OPEN: Thing = {"checked": False, "completed_at": None, "completed_by_uid": None}


def has_checkbox(task: Thing) -> bool:
    """Tell whether a task can be ticked: one whose title begins with an asterisk and a blank has no box."""
    content: str = task["content"]
    return not content.startswith("* ")


class Operations(Store):
    """The rules of the service. Every operation is done by somebody, and may be refused."""

    # Tasks

    def task_add(self, user: User, args: Args) -> Thing:
        fields = self._task_fields(user, {name: value for name, value in args.items() if value is not None})
        if "content" not in fields:
            raise rules.missing("content")
        place = self._place(user, args)
        self._check_room(user, place["project_id"], 1)
        moment = self.stamp()
        made = {"added_by_uid": user.id, "added_at": moment, "updated_at": moment}
        fields.setdefault("child_order", self._next_order(place))
        task = {"id": self.new_id(), "user_id": user.id, **place, **_NEW_TASK, **made, **fields}
        return self.put(Kind.ITEMS, {**task, "labels": list(task["labels"]), "goal_ids": []})

    def task_update(self, user: User, task: Thing, args: Args) -> Thing:
        return self.change(task, **self._task_fields(user, args))

    def _task_fields(self, user: User, args: Args) -> dict[str, Any]:
        fields = rules.values(rules.TASK, args)
        if "due" in args:
            fields["due"] = rules.due(args["due"], self.today(user), user.timezone)
        for name, allowed in (("deadline", user.plan.deadlines), ("duration", user.plan.durations)):
            if fields.get(name) is not None and not allowed:
                raise rules.premium_only(name)
        return fields

    def _place(self, user: User, args: Args) -> Thing:
        """Return where a task goes: the parent decides before the section, the section before the project."""
        given = {name: args[name] for name in PLACES if args.get(name) is not None}
        place: Thing = {"project_id": user.inbox_id, "section_id": None, "parent_id": None}
        if "project_id" in given:
            place["project_id"] = self.find(user, Kind.PROJECTS, given["project_id"], "project_id")["id"]
        if "section_id" in given:
            section = self.find(user, Kind.SECTIONS, given["section_id"], "section_id")
            place |= {"project_id": section["project_id"], "section_id": section["id"]}
        if "parent_id" in given:
            parent = self.find(user, Kind.ITEMS, given["parent_id"], "parent_id")
            if parent["checked"]:
                raise rules.invalid("parent_id", "Parent task is completed")
            place = {"project_id": parent["project_id"], "section_id": parent["section_id"], "parent_id": parent["id"]}
        for name, value in given.items():
            if place[name] != value:
                raise rules.invalid(name, "It contradicts the parent or the section")
        return place

    def _check_room(self, user: User, project_id: str, more: int) -> None:
        there = sum(not task["checked"] for task in self.tasks_in(project_id=project_id))
        if there + more > user.plan.max_tasks:
            raise rules.over_limit("ITEMS", user.plan.max_tasks)

    def _next_order(self, place: Thing) -> int:
        there = self.tasks_in(project_id=place["project_id"])
        return max((t["child_order"] for t in there if t["parent_id"] == place["parent_id"]), default=0) + 1

    def task_move(self, user: User, task: Thing, args: Args) -> Thing:
        given = {name: args[name] for name in PLACES if args.get(name) is not None}
        if len(given) != 1:
            raise rules.invalid("project_id", "Exactly one of project_id, section_id and parent_id is needed")
        place = self._place(user, given)
        family = self.family(Kind.ITEMS, task)
        if place["parent_id"] in [member["id"] for member in family]:
            raise rules.invalid("parent_id", "A task cannot be moved below itself")
        if place["project_id"] != task["project_id"]:
            self._check_room(user, place["project_id"], sum(not member["checked"] for member in family))
        self.change(task, **place, child_order=self._next_order(place))
        for member in family[1:]:
            self.change(member, project_id=place["project_id"], section_id=place["section_id"])
        return task

    def task_close(self, user: User, task: Thing) -> Thing:
        """Tick a task: a recurring one moves on to its next date, any other is completed."""
        if task["due"] and task["due"]["is_recurring"] and not task["checked"]:
            following = rules.next_due(task["due"], self.today(user))
            return self.change(task, due=following, completed_count=task["completed_count"] + 1)
        return self.task_complete(user, task)

    def task_complete(self, user: User, task: Thing, at: str | None = None) -> Thing:
        """Complete a task for good, and all that is below it."""
        if not has_checkbox(task):
            raise rules.invalid("id", "Task cannot be completed")
        moment = at or self.stamp()
        for member in self.family(Kind.ITEMS, task):
            if not member["checked"]:
                self.change(member, checked=True, completed_at=moment, completed_by_uid=user.id)
        return task

    def task_reopen(self, task: Thing) -> Thing:
        """Reopen a task, what is above it, and its section; what is below stays as it is."""
        section = self.things[Kind.SECTIONS].get(task["section_id"] or "")
        if section and section["is_archived"]:
            self.change(section, is_archived=False, archived_at=None)
        member: Thing | None = task
        while member:
            if member["checked"]:
                self.change(member, **_OPEN)
            member = self.things[Kind.ITEMS].get(member["parent_id"] or "")
        return task

    def task_delete(self, task: Thing) -> None:
        self._delete_all(self.family(Kind.ITEMS, task))

    def _delete_all(self, tasks: list[Thing]) -> None:
        gone = {task["id"] for task in tasks}
        for task in tasks:
            self.change(task, is_deleted=True)
        for note in self.all(Kind.NOTES):
            if note["item_id"] in gone and not note["is_deleted"]:
                self.change(note, is_deleted=True)

    def task_duplicate(self, user: User, task: Thing, parent_id: str | None = None) -> Thing:
        """Copy a task with its description and the open tasks below it; comments stay with the original."""
        place = {name: task[name] for name in PLACES} | ({"parent_id": parent_id} if parent_id else {})
        self._check_room(user, task["project_id"], 1)
        fields = {name: task[name] for name in COPIED}
        copy = self.task_add(user, {"content": task["content"], **place})
        self.change(copy, **{name: list(v) if isinstance(v, list) else v for name, v in fields.items()})
        for child in self.children(Kind.ITEMS, task):
            if not child["checked"]:
                self.task_duplicate(user, child, copy["id"])
        return copy

    # Projects

    def project_add(self, user: User, args: Args, *, inbox: bool = False) -> Thing:
        fields = rules.values(rules.PROJECT, {name: value for name, value in args.items() if value is not None})
        if "name" not in fields:
            raise rules.missing("name")
        mine = [p for p in self.active(user, Kind.PROJECTS) if not p.get("inbox_project")]
        if not inbox and len(mine) >= user.plan.max_projects:
            raise rules.over_limit("PROJECTS", user.plan.max_projects)
        parent = args.get("parent_id")
        parent_id = self.find(user, Kind.PROJECTS, parent, "parent_id")["id"] if parent is not None else None
        project = self._new_project(user, parent_id, len(mine) + 1) | fields
        if inbox:
            project["inbox_project"] = True
        self.members[project["id"]] = {user.id}
        return self.put(Kind.PROJECTS, project)

    def _new_project(self, user: User, parent_id: str | None, order: int) -> Thing:
        moment = self.stamp()
        no = ("is_archived", "is_deleted", "is_favorite", "is_frozen", "is_collapsed", "is_shared", "can_assign_tasks")
        return {
            "id": self.new_id(),
            "description": "",
            "color": "charcoal",
            "view_style": "list",
            "parent_id": parent_id,
            "child_order": order,
            "default_order": 0,
            **dict.fromkeys(no, False),
            "created_at": moment,
            "updated_at": moment,
            "creator_uid": user.id,
            "role": "CREATOR",
            "public_key": self.secret(),
            "access": None,
        }

    def project_move(self, user: User, project: Thing, args: Args) -> Thing:
        parent = args.get("parent_id")
        parent_id = self.find(user, Kind.PROJECTS, parent, "parent_id")["id"] if parent is not None else None
        if parent_id in [member["id"] for member in self.family(Kind.PROJECTS, project)]:
            raise rules.invalid("parent_id", "A project cannot be moved below itself")
        return self.change(project, parent_id=parent_id)

    def project_archive(self, project: Thing) -> Thing:
        """Archive a project and those below it. Their tasks are hidden with them; nothing is said of those."""
        if project.get("inbox_project"):
            raise rules.forbidden("The Inbox cannot be archived")
        for member in self.family(Kind.PROJECTS, project):
            self.change(member, is_archived=True)
        return project

    def project_unarchive(self, project: Thing) -> Thing:
        """Bring a project back, as a root, and tell of its tasks again."""
        self.change(project, is_archived=False, parent_id=None)
        for task in self.tasks_in(project_id=project["id"]):
            self.revision += 1
            self.revisions[task["id"]] = self.revision
        return project

    def project_delete(self, project: Thing) -> None:
        if project.get("inbox_project"):
            raise rules.forbidden("The Inbox cannot be deleted")
        for member in self.family(Kind.PROJECTS, project):
            self._delete_all(self.tasks_in(project_id=member["id"]))
            for section in self.sections_of(member["id"]):
                self.change(section, is_deleted=True)
            self.change(member, is_deleted=True)

    # Sections

    def sections_of(self, project_id: str) -> list[Thing]:
        return [s for s in self.all(Kind.SECTIONS) if s["project_id"] == project_id and not s["is_deleted"]]

    def section_add(self, user: User, args: Args) -> Thing:
        fields = rules.values(rules.SECTION, {name: value for name, value in args.items() if value is not None})
        for name in ("name", "project_id"):
            if args.get(name) is None:
                raise rules.missing(name)
        project = self.find(user, Kind.PROJECTS, args["project_id"], "project_id")
        there = [section for section in self.sections_of(project["id"]) if not section["is_archived"]]
        if len(there) >= user.plan.max_sections:
            raise rules.over_limit("SECTIONS", user.plan.max_sections)
        moment = self.stamp()
        section = {"id": self.new_id(), "user_id": user.id, "project_id": project["id"], "description": ""}
        section |= {"section_order": len(there) + 1, "is_archived": False, "archived_at": None, "is_deleted": False}
        section |= {"is_collapsed": False, "added_at": moment, "updated_at": moment, **fields}
        return self.put(Kind.SECTIONS, section)

    def section_move(self, user: User, section: Thing, args: Args) -> Thing:
        project = self.find(user, Kind.PROJECTS, args.get("project_id"), "project_id")
        for task in self.tasks_in(section_id=section["id"]):
            self.change(task, project_id=project["id"])
        return self.change(section, project_id=project["id"])

    def section_archive(self, section: Thing) -> Thing:
        return self.change(section, is_archived=True, archived_at=self.stamp())

    def section_delete(self, section: Thing) -> None:
        self._delete_all(self.tasks_in(section_id=section["id"]))
        self.change(section, is_deleted=True)

    # Labels

    def label_add(self, user: User, args: Args) -> Thing:
        fields = rules.values(rules.LABEL, {name: value for name, value in args.items() if value is not None})
        mine = self.active(user, Kind.LABELS)
        if "name" not in fields:
            raise rules.missing("name")
        if fields["name"] in [label["name"] for label in mine]:
            raise rules.invalid("name", "Label already exists")
        if len(mine) >= user.plan.max_labels:
            raise rules.over_limit("LABELS", user.plan.max_labels)
        blank = {"color": "charcoal", "item_order": len(mine), "is_favorite": False, "is_deleted": False}
        label = {"id": self.new_number(), **blank, **fields}
        self.owners[label["id"]] = user.id
        return self.put(Kind.LABELS, label)

    def label_update(self, user: User, label: Thing, args: Args) -> Thing:
        fields = rules.values(rules.LABEL, args)
        if "name" in fields:
            self._relabel(user, label["name"], fields["name"])
        return self.change(label, **fields)

    def label_rename(self, user: User, old: str, new: str) -> None:
        """Rename a label wherever it stands: on tasks, and among the user's own."""
        self._relabel(user, old, rules.label_name("name_new", new))
        for label in self.active(user, Kind.LABELS):
            if label["name"] == old:
                self.change(label, name=new)

    def label_delete(self, user: User, label: Thing, *, cascade: bool = True) -> None:
        if cascade:
            self._relabel(user, label["name"], None)
        self.change(label, is_deleted=True)

    def _relabel(self, user: User, old: str, new: str | None) -> None:
        for task in self.visible(user, Kind.ITEMS):
            if old in task["labels"] and not task["is_deleted"]:
                renamed = [new if name == old else name for name in task["labels"]]
                self.change(task, labels=[name for name in dict.fromkeys(renamed) if name is not None])

    # Comments

    def note_add(self, user: User, args: Args) -> Thing:
        fields = rules.values(rules.NOTE, args)
        for name in ("item_id", "content"):
            if args.get(name) is None:
                raise rules.missing(name)
        task = self.find(user, Kind.ITEMS, args["item_id"], "item_id")
        note = {"id": self.new_id(), "posted_uid": user.id, "item_id": task["id"], "posted_at": self.stamp()}
        note |= {"is_deleted": False, "file_attachment": None, "reactions": None, "uids_to_notify": None, **fields}
        self.change(task, note_count=task["note_count"] + 1)
        return self.put(Kind.NOTES, note)

    def note_delete(self, note: Thing) -> None:
        task = self.things[Kind.ITEMS][note["item_id"]]
        self.change(task, note_count=task["note_count"] - 1)
        self.change(note, is_deleted=True)
