"""Jinja's environment of pages: what Jinja does for each value of a template, in less time.

A list has a thousand values, and costs little to query. Jinja would take as long for it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from jinja2.compiler import Frame


# Filters and functions that return `Markup`, whatever they are given.
_MAKE_MARKUP = frozenset(["shown", "short", "user_name", "case_name"])


class PageCodeGenerator(CodeGenerator):
    """Compiles templates to code that renders the same text."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        """Compile `{{ … }}` to a call of `as_html`, which does what `escape` does."""
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        elif is_markup(node):
            self.write("(")
        else:
            self.write("environment.as_html(")

    def _output_child_to_const(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> str:
        """Compile `{{ _("…") }}` to its translation: each language has an environment."""
        text = self._translate(node)
        return super()._output_child_to_const(node, frame, finalize) if text is None else text

    def visit_Call(  # noqa: N802 - Jinja's name
        self, node: nodes.Call, frame: Frame, forward_caller: bool = False
    ) -> None:
        """Compile a call to a call: no function of ours asks for the context, as Jinja's may."""
        text = self._translate(node)
        if text is not None:
            self.write(f"Markup({str(text)!r})")
        elif forward_caller or node.dyn_args or node.dyn_kwargs:
            super().visit_Call(node, frame, forward_caller=forward_caller)
        else:
            self.visit(node.node, frame)
            self.write("(")
            for argument in [*node.args, *node.kwargs]:
                self.visit(argument, frame)
                self.write(", ")
            self.write(")")

    def _translate(self, node: nodes.Node) -> Markup | None:
        """Return what `_("…")` stands for; None for any other expression."""
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]
            ):
                translate: Any = self.environment.globals["_"]
                return Markup(translate(text))  # noqa: S704 - a catalogue is our own
        return None


def is_markup(node: nodes.Expr) -> bool:
    """Tell whether an expression is markup for sure, and needs no look at its value."""
    match node:
        case nodes.Filter(name=name) | nodes.Call(node=nodes.Name(name=name)):
            return name in _MAKE_MARKUP
    return False


class PageEnvironment(Environment):
    """Jinja's environment of the console's templates."""

    code_generator_class = PageCodeGenerator

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what a template calls `item.name`: of what the API has answered, the field."""
        # First, as nearly all are: Jinja asks for an attribute before, and fails each time.
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    @staticmethod
    def as_html(value: object) -> str:
        """Return what stands for a value in a page; markup, as most values are, as it is."""
        # `escape` makes it once more, in fifteen times as long: half of the time of a page.
        if type(value) is Markup:
            return value
        # An ID, a status, a column: there is nothing to escape in letters, digits and underscores.
        return value if type(value) is str and value.isidentifier() else escape(value)
