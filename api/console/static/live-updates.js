// <live-updates src>: keeps parts of the page as the server shows them now, and says whether it can.

class LiveUpdates extends HTMLElement {
  connectedCallback() {
    this.word = document.createElement("p");
    this.append(this.word);
    this.open();
    // Browsers keep pages for the back button; a page that comes back is old.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  disconnectedCallback() {
    this.source?.close();
  }

  open() {
    this.source = new EventSource(this.getAttribute("src"));
    this.source.onopen = () => {
      const wasLost = this.lostAt !== undefined;
      this.lostAt = undefined;
      this.say(this.dataset.live, "live");
      if (wasLost) this.refresh();
    };
    this.source.onerror = () => this.lose();
    this.source.addEventListener("fragment", (event) => this.take(event.data));
    this.source.addEventListener("end", () => {
      this.source.close();
      this.refresh();
    });
    this.source.addEventListener("signed-out", () => {
      this.source.close();
      this.say(this.dataset.ended, "lost");
      this.refresh();
    });
  }

  lose() {
    if (this.lostAt === undefined) {
      this.lostAt = new Date();
      const time = this.lostAt.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
      this.say(`${this.dataset.lost} ${this.dataset.asOf.replace("{time}", time)}`, "lost");
    }
    // A browser gives up when the server answers with an error, as a proxy does while it restarts.
    if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 2000);
  }

  say(text, state) {
    this.word.textContent = text;
    this.dataset.state = state;
  }

  /** Replaces elements by those of the same ids; of a list, an element that is new is counted. */
  take(html) {
    const parts = document.createElement("template");
    parts.innerHTML = html;
    const said = parts.content.querySelector("[data-announce]")?.dataset.announce;
    const region = document.getElementById("announce");
    // Once: the same words again would be read again.
    if (said && said !== region.textContent) region.textContent = said;
    const title = parts.content.querySelector("[data-title]")?.dataset.title;
    if (title) document.title = title;
    // A part that the page lacks: what it shows is of another state.
    const needed = parts.content.querySelector("[data-needs]")?.dataset.needs;
    if (needed && needed !== this.needed && !document.getElementById(needed)) this.refresh();
    this.needed = needed;
    for (const part of parts.content.querySelectorAll("[data-remove]")) {
      document.getElementById(part.dataset.remove)?.remove();
      part.remove();
    }
    for (const list of parts.content.querySelectorAll("[data-into]")) {
      const into = document.getElementById(list.dataset.into);
      for (const element of list.querySelectorAll("[id]")) {
        if (element.parentElement.closest("[id]")) continue;
        const old = document.getElementById(element.id);
        if (old) replace(old, element);
        else if (into) this.add(into, element);
      }
    }
    for (const element of [...parts.content.children]) {
      const old = element.id && document.getElementById(element.id);
      if (old) replace(old, element);
    }
  }

  add(into, element) {
    const waiting = document.querySelector(`new-rows[for="${into.id}"]`);
    if (waiting) waiting.add(element);
    else into.append(element);
  }

  /** Asks for everything on the screen anew, and keeps what was typed. */
  async refresh() {
    try {
      const answer = await fetch(location.href);
      const isTyping = document.querySelector("main :is(input, textarea):focus, [data-unsaved]");
      // A form whose token has ended stays: when it is sent, the sign-in page keeps its fields.
      if (answer.redirected) return isTyping || location.assign(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = page.querySelector("[data-announce]")?.dataset.announce;
      if (!isTyping) document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
      document.getElementById("strip")?.replaceWith(page.getElementById("strip"));
      document.title = page.title;
      if (said) document.getElementById("announce").textContent = said;
      this.follow(page.querySelector("live-updates").getAttribute("src"));
    } catch {
      // The connection is away again; the next one asks again.
    }
  }

  /** Listens to what the page is about now: an import that has ended is one among others. */
  follow(src) {
    if (src === this.getAttribute("src")) return;
    this.setAttribute("src", src);
    this.source.close();
    this.open();
  }
}

/** Replaces an element, unless nothing has changed; the focus stays at the same place in it. */
function replace(old, element) {
  if (old.isEqualNode(element)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const at = focused ? [...old.querySelectorAll(focused.localName)].indexOf(focused) : -1;
  old.replaceWith(element);
  if (focused) element.querySelectorAll(focused.localName)[at]?.focus();
}

/** <new-rows for>: says how many rows are new, and shows them when it is asked to. */
class NewRows extends HTMLElement {
  rows = new Map();

  add(row) {
    this.rows.set(row.id, row);
    this.show();
  }

  show() {
    const count = this.rows.size;
    const button = document.createElement("button");
    button.className = "quiet";
    button.textContent = (count === 1 ? this.dataset.one : this.dataset.many).replace("{count}", count);
    button.onclick = () => {
      document.getElementById(this.getAttribute("for")).prepend(...[...this.rows.values()].reverse());
      this.rows.clear();
      this.replaceChildren();
    };
    this.replaceChildren(button);
  }
}

customElements.define("new-rows", NewRows);
customElements.define("live-updates", LiveUpdates);
