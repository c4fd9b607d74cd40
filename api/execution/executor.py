"""The executor: plain fields column by column, all others by graphql-core."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
)
from graphql.execution import get_argument_values
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from api.batch.objects import TOGETHER, read
from api.execution.selection import (
    AttributeField,
    LoadedField,
    SelectionPlan,
    Wave,
    nullable,
    of_enum,
    of_list,
    of_objects,
    of_scalar,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import (
        GraphQLLeafType,
        GraphQLOutputType,
    )
    from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
    from graphql.pyutils import AwaitableOrValue, Path

    from api.batch.objects import Selected, Values
    from api.execution.selection import Completer, PendingField

    Execute: TypeAlias = Callable[[GroupedFieldSet, Any], AwaitableOrValue[dict[str, Any]]]

_TYPENAME = "__typename"


@dataclass(slots=True)
class SelectionCache:
    """Which fields an operation selects where, kept from one execution to the next.

    It serves one operation without directives: only these make the selection depend on variables.
    """

    root: GroupedFieldSet | None = None
    sub_fields: dict[Any, Any] = field(default_factory=dict)
    plans: dict[int, tuple[GroupedFieldSet, SelectionPlan]] = field(default_factory=dict)


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Reads plain fields itself, and leaves all others to graphql-core.

    A field is plain when it holds a scalar, an enum, or objects of which only plain fields are
    selected, and either has no resolver or can be loaded for many objects together. For each value
    of each field, graphql-core makes a path, an info object and several calls, none of which a
    plain field uses; here, one call reads a field in all objects of a list. When a value is odd in
    any way, its whole selection is executed again by graphql-core, so errors are always its own.

    The schema has no `@defer` and no `@stream`.

    Args:
        cache: of the operation, if it may have one.

    Attributes:
        characters: of all texts in the answer, so far.
    """

    def __init__(self, *args: Any, cache: SelectionCache | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_awaitable = cast("Any", self._note_awaitable)
        self._cache = cache
        self._begin_with(cache or SelectionCache())

    def _begin_with(self, cache: SelectionCache) -> None:
        self._plans = cache.plans
        self._relevant_sub_fields = cache.sub_fields
        self._has_failed = False
        self._awaitables: list[Any] = []
        self.characters = 0

    def build_per_event_executor(self, payload: Any) -> Executor:
        """Make an executor for one event.

        Without a cache of the operation it gets a new one: graphql-core's copy would share the
        subscription's, and fill it with each event for as long as the subscription lasts.
        """
        executor = super().build_per_event_executor(payload)
        assert isinstance(executor, Executor)
        executor._begin_with(self._cache or SelectionCache())
        return executor

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        new_defer_usages: Any,
    ) -> Any:
        """Execute the root's fields, the same objects each time: the cache knows them by `id`."""
        if self._cache is not None:
            self._cache.root = self._cache.root or grouped_field_set
            grouped_field_set = self._cache.root
        return super().execute_collected_root_fields(
            root_type, root_value, grouped_field_set, serially, new_defer_usages
        )

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute a selection."""
        execute = partial(super().execute_fields, parent_type, source_value, path)
        if self._has_failed:
            return execute(grouped_field_set, position_context)
        plan = self._plan(parent_type, grouped_field_set)
        wave = Wave()
        try:
            found = plan.read([source_value], wave)[0] if plan.fields else {}
        except Exception:
            return execute(grouped_field_set, position_context)
        if wave:
            return self._execute_pending(wave, found, plan, grouped_field_set, execute)
        self.characters += wave.characters
        return self._with_rest(found, plan, grouped_field_set, execute)

    async def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> dict[str, Any]:
        """Execute mutations one after another; none shows what was loaded before it."""
        found: dict[str, Any] = {}
        for name, details in grouped_field_set.items():
            self.context_value.forget()
            result = super().execute_fields_serially(
                parent_type, source_value, path, {name: details}, position_context
            )
            found |= result if isinstance(result, dict) else await result
        return found

    def complete_list_item_value(self, item: Any, complete_results: list[Any], *place: Any) -> bool:
        """Complete an item of a list; true if it is still to be awaited."""
        is_awaitable = super().complete_list_item_value(item, complete_results, *place)
        if is_awaitable:
            self._awaitables.append(complete_results[-1])
        return is_awaitable

    def _note_awaitable(self, value: Any) -> bool:
        """Tell whether a value is to be awaited, and keep it for `close`."""
        found = optimized_is_awaitable(value)
        if found:
            self._awaitables.append(value)
        return found

    def close(self) -> None:
        """Close coroutines that were never begun, at the end of the operation.

        When a field fails, graphql-core cancels what is executed beside it. A task that is
        cancelled before its first step drops the coroutines that it was to await. Python then warns
        of each when it is collected, wherever that happens: within the constructor of a named
        tuple, which has no `__import__`, the warning itself fails.
        """
        for each in self._awaitables:
            if isinstance(each, CoroutineType) and getcoroutinestate(each) == CORO_CREATED:
                each.close()
        self._awaitables.clear()

    async def _execute_pending(
        self,
        wave: Wave,
        found: dict[str, Any],
        plan: SelectionPlan,
        fields: GroupedFieldSet,
        execute: Execute,
    ) -> dict[str, Any]:
        """Load the fields of the wave and all that follow from them, then execute the rest."""
        characters = wave.characters
        try:
            while wave:
                following = Wave()
                for each, values in zip(wave, await self._load_all(wave), strict=True):
                    each.fill(values, following)
                characters += following.characters
                wave = following
        except Exception:
            # A selection below would fail as well, after it has loaded everything once more.
            self._has_failed = True
            result = execute(fields, None)
        else:
            self.characters += characters
            result = self._with_rest(found, plan, fields, execute)
        return result if isinstance(result, dict) else await result

    async def _load_all(self, wave: Wave) -> list[Values]:
        """Load a wave at once, so that the waits add up by levels, not by fields."""
        if len(wave) == 1:  # is not worth a task and three steps of the event loop
            return [await self._load(wave[0])]
        return await asyncio.gather(*map(self._load, wave))

    async def _load(self, pending: PendingField) -> Values:
        """Load a field for all objects that have it."""
        loaded = pending.field
        details = loaded.details[0]
        given = get_argument_values(
            loaded.field, details.node, self.variable_values, details.fragment_variable_values
        )
        converter = _definition(self.schema).schema_converter
        arguments = convert_arguments(
            {name: value for name, value in given.items() if value is not None},
            _definition(loaded.field).arguments,
            scalar_registry=converter.scalar_registry,
            config=converter.config,
        )
        return await loaded.together.load(
            self.context_value, pending.objects, loaded.selected_of_each, **arguments
        )

    def _with_rest(
        self,
        found: dict[str, Any],
        plan: SelectionPlan,
        fields: GroupedFieldSet,
        execute: Execute,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Add what graphql-core finds to what was found, in the order of the selection."""
        if not plan.rest:
            return found
        others: Any = execute(plan.rest, None)
        if not found:
            return cast("dict[str, Any]", others)
        # GraphQL demands the order of the selection; a dictionary keeps that of its first keys.
        order = dict.fromkeys(fields)
        if not self.is_awaitable(others):
            return order | found | cast("dict[str, Any]", others)

        async def wait() -> dict[str, Any]:
            return order | found | cast("dict[str, Any]", await others)

        return wait()

    def complete_leaf_value(self, return_type: GraphQLLeafType, result: Any) -> Any:  # type: ignore[override]
        """Complete one value, and count what it takes in the answer."""
        value = super().complete_leaf_value(return_type, result)
        if isinstance(value, str):
            self.characters += len(value)
        return value

    def _plan(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> SelectionPlan:
        """Part a selection; the result holds for all objects that it is made of."""
        # As graphql-core does: the dictionary is kept, so that its id is not used again.
        known = self._plans.get(id(fields))
        if known is not None:
            return known[1]
        plain = {name: self._plain(parent_type, name, fields[name]) for name in fields}
        plan = SelectionPlan(
            [each for each in plain.values() if each],
            {name: details for name, details in fields.items() if not plain[name]},
        )
        self._plans[id(fields)] = (fields, plan)
        return plan

    def _plain(
        self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList
    ) -> AttributeField | LoadedField | None:
        field_name = details[0].node.name.value
        if field_name == _TYPENAME:
            type_name = parent_type.name
            return AttributeField(
                name, lambda objects: [type_name] * len(objects), lambda names, _: list(names), {}
            )
        field = self.schema.get_field(parent_type, field_name)
        definition = field and _definition(field)
        if field is None or not isinstance(definition, StrawberryField):
            return None
        is_attribute = definition.is_basic_field and definition.default_resolver is getattr
        # Extensions (permissions, say) wrap the resolver, which a load would pass by.
        together = None if definition.extensions else definition.metadata.get(TOGETHER)
        if not (is_attribute or together):
            return None
        complete = self._completer(field.type, details)
        if complete is None:
            return None
        type_ = get_named_type(field.type)
        selected: Selected = {}
        if isinstance(type_, GraphQLObjectType):
            selected = self._sub_plan(type_, details).selected
        if together:
            return LoadedField(name, field, details, together, complete, selected)
        attribute = definition.python_name
        return AttributeField(
            name, partial(read, attribute=attribute), complete, {attribute: selected}
        )

    def _sub_plan(self, type_: GraphQLObjectType, details: FieldDetailsList) -> SelectionPlan:
        return self._plan(type_, self.collect_subfields(type_, details).grouped_field_set)

    def _completer(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Completer | None:
        """Return what completes values of a type as graphql-core does, if the type is plain."""
        if isinstance(type_, GraphQLNonNull):
            return self._nonnull_completer(type_.of_type, details)
        complete = self._nonnull_completer(type_, details)
        return complete and nullable(complete)

    def _nonnull_completer(
        self, type_: GraphQLOutputType, details: FieldDetailsList
    ) -> Completer | None:
        if isinstance(type_, GraphQLList):
            complete = self._completer(type_.of_type, details)
            return complete and of_list(complete)
        if isinstance(type_, GraphQLScalarType):
            return of_scalar(type_)
        definition = _definition(type_)
        if definition and isinstance(type_, GraphQLEnumType):
            return of_enum(type_, definition.wrapped_cls)
        # `is_type_of` is code that decides for each object, so it needs graphql-core.
        if not (definition and isinstance(type_, GraphQLObjectType)) or definition.is_type_of:
            return None
        plan = self._sub_plan(type_, details)
        origin = (definition.concrete_of or definition).origin
        return None if plan.rest else of_objects(origin, plan.read)


def _definition(thing: Any) -> Any:
    """Return what Strawberry made a schema, type or field of."""
    return thing.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
