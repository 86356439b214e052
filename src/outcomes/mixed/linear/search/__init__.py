"""How the optimum of one large linear specification is found: exact second derivatives, and a smaller twin first."""
