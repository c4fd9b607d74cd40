// <live-updates src>: keeps parts of the page as the server shows them now, and says whether it can.

/** More than twice as long as the server is ever silent. */
const LONGEST_SILENCE = 40_000;

class LiveUpdates extends HTMLElement {
  connectedCallback() {
    this.word = document.createElement("p");
    this.append(this.word);
    this.open();
    document.addEventListener("visibilitychange", () => this.rest());
    // Browsers keep pages for the back button; a page that comes back is old.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  disconnectedCallback() {
    clearTimeout(this.silence);
    this.source?.close();
  }

  open() {
    if (this.mayRest()) return this.rest();
    this.source = new EventSource(this.getAttribute("src"));
    this.source.onopen = async () => {
      this.hear();
      const wasLost = this.lostAt !== undefined;
      this.lostAt = undefined;
      this.say(this.dataset.live, "live");
      if (!wasLost || (await this.refresh())) return;
      this.source.close();
      this.lose();
    };
    this.source.onerror = () => this.lose();
    this.source.addEventListener("ping", () => this.hear());
    this.source.addEventListener("fragment", (event) => {
      this.hear();
      this.take(event.data);
    });
    this.source.addEventListener("end", async () => {
      this.source.close();
      if (!(await this.refresh())) this.lose();
      else if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 2000);
    });
    this.source.addEventListener("signed-out", () => {
      this.source.close();
      this.recover();
    });
  }

  /** A network that has gone, as while a computer sleeps, may end a connection without a word. */
  hear() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.source.close();
      this.lose();
    }, LONGEST_SILENCE);
  }

  /** Browsers open six connections to a server: tabs that nobody sees must not take all of them. */
  mayRest() {
    // An import's own page says in its title how far it has come.
    return document.hidden && this.getAttribute("src").endsWith("/imports/live");
  }

  rest() {
    if (this.mayRest()) {
      clearTimeout(this.silence);
      this.source?.close();
      this.isResting = true;
    } else if (this.isResting && !document.hidden) {
      this.isResting = false;
      this.lostAt ??= new Date();
      this.open();
    }
  }

  lose() {
    clearTimeout(this.silence);
    if (this.lostAt === undefined) {
      this.lostAt = new Date();
      const time = this.lostAt.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short", hourCycle: "h23" });
      this.say(`${this.dataset.lost} ${this.dataset.asOf.replace("{time}", time)}`, "lost");
    }
    // A browser gives up when the server answers with an error, as a proxy does while it restarts.
    if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.recover(), 2000);
  }

  /** Connects again, once the page can be had again. */
  async recover() {
    if (!(await this.refresh())) this.lose();
    else if (this.source.readyState === EventSource.CLOSED) this.open();
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

  /** Asks for everything on the screen anew, and keeps what was typed; false if it can't be had. */
  async refresh() {
    try {
      const answer = await fetch(location.href);
      const isTyping = hasUnsaved();
      if (answer.redirected) {
        if (isTyping && new URL(answer.url).pathname.endsWith("/sign-in")) return this.askToSignIn();
        location.assign(answer.url);
        return true;
      }
      // The page of an error would take the place of what is on the screen.
      if (!answer.ok) return false;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = page.querySelector("[data-announce]")?.dataset.announce;
      if (!isTyping) replace(document.querySelector("main"), page.querySelector("main"));
      document.getElementById("strip")?.replaceWith(page.getElementById("strip"));
      document.title = page.title;
      if (said) document.getElementById("announce").textContent = said;
      this.follow(page.querySelector("live-updates").getAttribute("src"));
      return true;
    } catch {
      // The connection is away again.
      return false;
    }
  }

  /** Says that the token has ended, where leading to the sign-in page would lose what was typed. */
  askToSignIn() {
    this.lostAt ??= new Date();
    const link = document.createElement("a");
    link.href = `${document.documentElement.dataset.root}/sign-in`;
    link.target = "_blank";
    link.textContent = this.dataset.signIn;
    if (!this.querySelector("a")) {
      this.say(`${this.dataset.signedOut} `, "lost");
      this.word.append(link);
      document.getElementById("announce").textContent = this.word.textContent;
    }
    return false;
  }

  /** Listens to what the page is about now: an import that has ended is one among others. */
  follow(src) {
    if (src === this.getAttribute("src")) return;
    this.setAttribute("src", src);
    this.source.close();
    this.open();
  }
}

/** Tells whether a form holds what only its visitor knows. */
function hasUnsaved() {
  const fields = [...document.querySelectorAll("main form[method=post] :is(input, textarea)")];
  const isChanged = (field) => field.value !== field.defaultValue || Boolean(field.checked) !== Boolean(field.defaultChecked);
  return Boolean(document.querySelector("main :is(input, textarea):focus, [data-unsaved]")) || fields.some(isChanged);
}

/** Replaces an element, unless nothing has changed; the focus stays at the same place in it. */
function replace(old, element) {
  if (old.isEqualNode(element)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const at = focused ? [...old.querySelectorAll(focused.localName)].indexOf(focused) : -1;
  old.replaceWith(element);
  if (focused) (element.querySelectorAll(focused.localName)[at] ?? element).focus({ preventScroll: true });
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
