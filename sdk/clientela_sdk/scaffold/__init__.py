"""The scaffold: writes a plugin that runs, is tested and speaks two languages, to be changed into one's own.

>>> name("visits", entity="Visit").package
'clientela_visits'
"""

from clientela_sdk.scaffold.names import Names, name
from clientela_sdk.scaffold.writing import write, write_single_file

__all__ = ["Names", "name", "write", "write_single_file"]
