// <rows-editor key>: makes its table a grid whose cells are edited in place. What was edited is kept
// in the tab until its rows have been tried again.

/** @typedef {Record<string, Record<string, string>>} Cells  New cells, by row and column. */

class RowsEditor extends HTMLElement {
  connectedCallback() {
    this.table = this.querySelector("table");
    this.body = this.table.tBodies[0];
    this.form = this.querySelector("form");
    this.store = this.getAttribute("key");
    this.headers = [...this.table.tHead.rows[0].cells];
    /** @type {{edits: Cells, sent: Cells}} */
    this.kept = JSON.parse(sessionStorage.getItem(this.store) ?? '{"edits":{},"sent":{}}');
    this.settle();
    this.becomeGrid();
    this.form.addEventListener("submit", () => this.send());
    this.form.querySelector("[type=button]").onclick = () => this.giveUp();
    this.querySelector(".hint").hidden = false;
    this.showCount();
  }

  /** Edits that were sent are done with if they were taken, and come back if they were refused. */
  settle() {
    if (this.dataset.tried === undefined) {
      for (const [row, cells] of Object.entries(this.kept.sent)) this.kept.edits[row] ??= cells;
    }
    this.kept.sent = {};
    const rows = new Map([...this.body.rows].map((row) => [row.dataset.row, row]));
    for (const row of Object.keys(this.kept.edits)) {
      const cells = rows.get(row)?.querySelectorAll("td");
      // A table of all failed rows lacks those that have passed; what a cell has already is no edit.
      const isOver = cells ? ![...cells].some((cell) => this.edited(cell) !== undefined) : this.dataset.all !== undefined;
      if (isOver) delete this.kept.edits[row];
    }
    this.save();
  }

  save() {
    sessionStorage.setItem(this.store, JSON.stringify(this.kept));
  }

  becomeGrid() {
    this.table.setAttribute("role", "grid");
    for (const cell of this.cells()) {
      cell.tabIndex = -1;
      if (cell.matches("[data-bad]")) cell.setAttribute("aria-invalid", "true");
      if (cell.matches("td")) this.show(cell);
    }
    const first = this.table.querySelector("[data-bad]") ?? this.body.querySelector("td, th");
    if (first) first.tabIndex = 0;
    for (const link of this.body.querySelectorAll("a")) link.tabIndex = -1;
    this.table.addEventListener("keydown", (event) => this.press(event));
    this.table.addEventListener("focusin", (event) => this.enter(event.target.closest("td, th")));
    this.table.addEventListener("focusout", (event) => {
      if (event.target === this.field && !event.relatedTarget?.closest?.("datalist")) this.commit();
    });
    this.table.addEventListener("click", (event) => {
      const cell = event.target.closest("tbody td");
      if (cell && !cell.contains(this.field)) this.edit(cell);
    });
  }

  cells() {
    return [...this.body.querySelectorAll(":scope > tr > :is(td, th)")];
  }

  row(cell) {
    return cell.parentElement.dataset.row;
  }

  column(cell) {
    return this.headers[cell.cellIndex].dataset.column;
  }

  /** The text in the file: where letters can't be seen, the cell shows names for them. */
  original(cell) {
    return cell.dataset.value ?? cell.querySelector(".cell").textContent;
  }

  edited(cell) {
    const text = this.kept.edits[this.row(cell)]?.[this.column(cell)];
    return text === this.original(cell) ? undefined : text;
  }

  current(cell) {
    return this.edited(cell) ?? this.original(cell);
  }

  /** Shows a cell's new text, and the old one after it. */
  show(cell) {
    const text = this.edited(cell);
    cell.querySelector(".new")?.remove();
    cell.classList.toggle("edited", text !== undefined);
    if (text === undefined) return;
    const shown = document.createElement("span");
    shown.className = "new";
    const now = document.createElement("ins");
    now.dir = "auto";
    now.textContent = text || this.dataset.blank;
    shown.append(now, ` ${this.dataset.was} `);
    cell.prepend(shown);
  }

  enter(cell) {
    if (!cell || cell === this.at) return;
    this.table.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    cell.tabIndex = 0;
    this.at = cell;
  }

  edit(cell, text) {
    this.commit();
    const header = this.headers[cell.cellIndex].dataset;
    const value = text ?? this.current(cell);
    this.field = document.createElement(value.includes("\n") ? "textarea" : "input");
    this.field.value = value;
    this.field.spellcheck = false;
    this.field.autocomplete = "off";
    this.field.setAttribute("aria-label", `${this.row(cell)} ${header.column}`);
    if (header.list) this.field.setAttribute("list", header.list);
    const holder = document.createElement(header.names ? "entity-lookup" : "span");
    holder.setAttribute("names", header.names);
    holder.append(this.field);
    const problem = cell.querySelector(".problem");
    if (problem) {
      problem.id ||= `problem-${this.row(cell)}-${cell.cellIndex}`;
      this.field.setAttribute("aria-describedby", problem.id);
    }
    cell.prepend(holder);
    cell.classList.add("editing");
    this.field.focus();
    if (text === undefined) this.field.select();
  }

  /** Ends the editing of a cell: its text counts from now on, or does not. */
  commit(isTaken = true) {
    if (!this.field) return;
    const { field } = this;
    const cell = field.closest("td");
    this.field = undefined;
    if (isTaken) this.set(cell, field.value.trim());
    field.parentElement.remove();
    cell.classList.remove("editing");
  }

  set(cell, text) {
    const row = cell.parentElement;
    const cells = (this.kept.edits[row.dataset.row] ??= {});
    const original = this.original(cell);
    cells[this.column(cell)] = text === original.trim() ? original : text;
    const all = [...row.querySelectorAll("td")];
    // A row that is too long is sent whole, so that what is beyond the header goes.
    const sent = all.filter((each) => row.dataset.whole !== undefined || this.edited(each) !== undefined);
    const isEdited = all.some((each) => this.edited(each) !== undefined);
    const kept = sent.map((each) => [this.column(each), this.current(each)]);
    if (isEdited) this.kept.edits[row.dataset.row] = Object.fromEntries(kept);
    else delete this.kept.edits[row.dataset.row];
    this.save();
    this.show(cell);
    this.showCount();
  }

  press(event) {
    if (event.isComposing) return;
    const cell = event.target.closest("td, th");
    if (this.field) return this.pressInField(event, cell);
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (step) this.move(cell, ...step);
    else if (event.key === "Home" || event.key === "End") this.jump(cell, event);
    else if (event.key === "Tab") return this.toBad(cell, event);
    else if (!cell.matches("td")) return;
    else if (event.key === "Enter" || event.key === "F2") this.edit(cell);
    else if (event.key === "Escape") this.set(cell, this.original(cell));
    else if (event.key === "Delete" || event.key === "Backspace") this.set(cell, "");
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) this.edit(cell, event.key);
    else return;
    event.preventDefault();
  }

  pressInField(event, cell) {
    if (event.key === "Tab") {
      this.commit();
      this.toBad(cell, event);
      if (!event.defaultPrevented) cell.focus();
    } else if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
      this.commit(event.key === "Enter");
      cell.focus();
      event.preventDefault();
    }
  }

  move(cell, rows, columns) {
    const row = this.body.rows[cell.parentElement.sectionRowIndex + rows];
    this.focusCell(row?.cells[cell.cellIndex + columns]);
  }

  jump(cell, event) {
    const cells = event.ctrlKey ? this.cells() : [...cell.parentElement.cells];
    this.focusCell(cells.at(event.key === "Home" ? 0 : -1));
  }

  /** Goes to the next bad cell that is not edited yet; after the last one out of the grid. */
  toBad(cell, event) {
    const cells = this.cells();
    const ahead = event.shiftKey ? cells.slice(0, cells.indexOf(cell)).reverse() : cells.slice(cells.indexOf(cell) + 1);
    const next = ahead.find((each) => each.matches("[data-bad]") && this.edited(each) === undefined);
    if (!next) return;
    event.preventDefault();
    this.focusCell(next);
  }

  focusCell(cell) {
    (cell?.querySelector("a") ?? cell)?.focus();
  }

  showCount() {
    const count = Object.keys(this.kept.edits).length;
    this.form.hidden = !count;
    const text = count === 1 ? this.dataset.one : this.dataset.many;
    this.form.querySelector("button").textContent = text.replace("{count}", count);
  }

  send() {
    // The second click of two: the fields are there, and the first one has kept what they hold.
    if (!Object.keys(this.kept.edits).length) return;
    for (const [row, cells] of Object.entries(this.kept.edits)) {
      for (const [column, value] of Object.entries(cells)) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name: `cell.${row}.${column}`, value });
        this.form.append(field);
      }
    }
    this.kept = { edits: {}, sent: this.kept.edits };
    this.save();
  }

  giveUp() {
    this.kept.edits = {};
    this.save();
    for (const cell of this.body.querySelectorAll("td")) this.show(cell);
    this.showCount();
    this.focusCell(this.table.querySelector("[tabindex='0']"));
  }
}

customElements.define("rows-editor", RowsEditor);
