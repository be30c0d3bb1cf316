"""Keeping order in rooms: what moderators and staff may do, what is in force, what was done. The same for all doors.

`verbs` does it, `force` says what that means for whoever reads or writes, `reports` is what people complain about,
`hiding` what a reader does not want to see. `views` and `about` are the pages.
"""
