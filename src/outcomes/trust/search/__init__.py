"""The proof of a withdrawal: every name and every file below the study is searched for the ids, or is named."""

from outcomes.trust.search.study_search import Search, database_holds, search_study

__all__ = ["Search", "database_holds", "search_study"]
