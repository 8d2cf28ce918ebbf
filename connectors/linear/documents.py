"""What is asked of Linear: documents of GraphQL."""

CARD = "https://linear.app/#backplan"  # the address of our attachment, of which an issue has one
NEXT = "pageInfo { hasNextPage endCursor }"
ISSUE = f"""{{
  id identifier title description dueDate priority createdAt completedAt archivedAt trashed labelIds
  state {{ type }} team {{ id }} parent {{ id }} assignee {{ displayName email name }}
  attachments(first: 5, filter: {{url: {{eq: "{CARD}"}}}}) {{ nodes {{ id metadata }} }}
  comments(first: 1) {{ nodes {{ id }} }}
  children(first: 1, filter: {{attachments: {{every: {{url: {{neq: "{CARD}"}}}}}}}}) {{ nodes {{ id }} }} }}"""
TEAM = "{ id key archivedAt retiredAt states(first: 100) { nodes { id type position } } }"
WHERE = f"""query($team: String!) {{ viewer {{ displayName email name }}
  teams(first: 1, filter: {{key: {{eqIgnoreCase: $team}}}}) {{ nodes {TEAM} }} }}"""
TEAMS = f"query($after: String) {{ teams(first: 50, after: $after) {{ nodes {TEAM} {NEXT} }} }}"
ONE_TEAM = f"query($id: String!) {{ team(id: $id) {TEAM} }}"
ISSUES = f"""query($filter: IssueFilter!, $after: String) {{
  issues(first: 100, after: $after, includeArchived: true, filter: $filter) {{ nodes {ISSUE} {NEXT} }} }}"""
ONE = f"query($id: String!) {{ issue(id: $id) {ISSUE} }}"
BELOW = """query($id: String!) {
  issue(id: $id) { children(first: 250, includeArchived: true) { nodes { id archivedAt trashed } } } }"""
LABELS = f"""query($after: String) {{ issueLabels(first: 250, after: $after, includeArchived: true) {{
  nodes {{ id name isGroup team {{ id }} }} {NEXT} }} }}"""
PEOPLE = """query($name: String!) { users(first: 1, filter: {or: [{displayName: {eqIgnoreCase: $name}},
  {email: {eqIgnoreCase: $name}}, {name: {eqIgnoreCase: $name}}]}) { nodes { id } } }"""
CHANGE = f"""mutation($id: String!, $input: IssueUpdateInput!, $card: AttachmentCreateInput!,
  $changes: Boolean!, $marks: Boolean!) {{
  issueUpdate(id: $id, input: $input) @include(if: $changes) {{ issue {ISSUE} }}
  attachmentCreate(input: $card) @include(if: $marks) {{ success }} }}"""
MOVE = "mutation($id: String!) { issueUpdate(id: $id, input: {parentId: null}) { success } }"
DELETE = "mutation($id: String!) { issueDelete(id: $id) { success } }"
RESTORE = "mutation($id: String!) { issueUnarchive(id: $id) { success } }"
COMMENT = "mutation($input: CommentCreateInput!) { commentCreate(input: $input) { success } }"
COMMENTED = "query($id: String!) { comment(id: $id) { id } }"
LABEL = "mutation($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { success } }"
