"""The names of a clinic's patients, decrypted and sorted in this process's memory.

There is no index of names in the database, which would give them away by how often they occur.
"""

from patients.name_index.likely import candidates
from patients.name_index.shelf import shelf

__all__ = ["candidates", "shelf"]
