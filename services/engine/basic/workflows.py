"""Steps and branches of workflows: names in front of statements; branches are done one after the other."""

from services.engine.basic import tree
from services.engine.basic.blocks import BlockParser
from services.engine.basic.lexer import Token


class WorkflowParser(BlockParser):
    """STEP n: statement, PARALLEL ... BRANCH A: statement ... END PARALLEL."""

    def _named_statement(self, token: Token) -> tree.Statement | None:
        """What follows STEP 1: or BRANCH A:; nothing when the lines below are meant."""
        if self.token.kind not in {"word", "number", "string"}:
            raise self.error("BAS133", f"expected a name or number after {token.upper}, found {self.shown()}")
        self.advance()
        if not self.accept(":") and not self.at_end():
            raise self.error("BAS133", f"expected : after the name of the {token.upper}, found {self.shown()}")
        return None if self.at_end() else self._statement()

    _step_statement = _named_statement
    _branch_statement = _named_statement

    def _parallel_statement(self, token: Token) -> tree.Statement:
        if not self.at_end():
            raise self.error("BAS121", f"expected the end of the line, found {self.shown()}")
        body = tuple(self._statements_until(()))
        self._close("PARALLEL", token)
        return tree.If(token.line, ((tree.Literal(token.line, token.column, value=True), body),), ())
