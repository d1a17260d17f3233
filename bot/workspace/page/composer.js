// The message box: Enter sends, Shift+Enter breaks the line, "/" and "@" complete, ↑ brings back the last text sent.

import { el } from "./dom.js";

/** `send(text)` returns a promise that rejects with a sentence; `suggest(typed)` -> [{value, label, hint}]. */
export class Composer {
  constructor({ testid, label, send, suggest }) {
    this.send = send;
    this.suggest = suggest;
    this.sent = [];
    this.choice = 0;
    this.offered = [];
    this.list = el("ul", { class: "suggestions", role: "listbox", hidden: true, dataset: { testid: `${testid}-suggestions` } });
    this.box = el("textarea", { rows: 1, "aria-label": label, autocomplete: "off", dataset: { testid } });
    this.button = el("button", { type: "button", class: "send", "aria-label": "Send", dataset: { testid: testid.replace("message-box", "send") }, onclick: () => this.submit() }, "➤");
    this.problem = el("p", { class: "problem", role: "alert", hidden: true, dataset: { testid: "problem" } });
    this.element = el("div", { class: "composer" }, this.list, el("div", { class: "frame" }, this.box, this.button), this.problem);
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("blur", () => setTimeout(() => this.offer([]), 150));
  }

  aim(placeholder) {
    this.box.placeholder = placeholder;
  }

  put(text) {
    this.box.value = text;
    this.typed();
    this.box.focus();
  }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    this.offer(this.suggest(this.box.value));
  }

  offer(offered) {
    this.offered = offered;
    this.choice = 0;
    this.list.replaceChildren(...offered.map((one, index) =>
      el("li", { role: "option", onmousedown: (event) => { event.preventDefault(); this.choice = index; this.complete(); } }, el("strong", {}, one.label), " ", el("span", {}, one.hint)),
    ));
    this.list.hidden = !offered.length;
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.choice)));
  }

  complete() {
    this.put(this.offered[this.choice].value);
  }

  key(event) {
    const completing = this.offered.length > 0 && this.offered[this.choice].value.trim() !== this.box.value.trim() && this.offered[this.choice].value;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (completing) this.complete();
      else this.submit();
    } else if (event.key === "Tab" && completing) {
      event.preventDefault();
      this.complete();
    } else if (event.key === "Escape") {
      this.offer([]);
    } else if (event.key === "ArrowUp" && !this.box.value && this.sent.length) {
      event.preventDefault();
      this.put(this.sent.at(-1));
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && this.offered.length > 1) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : this.offered.length - 1;
      this.choice = (this.choice + step) % this.offered.length;
      this.mark();
    }
  }

  async submit() {
    const text = this.box.value.trim();
    if (!text) return;
    this.offer([]);
    try {
      await this.send(text);
      this.sent.push(text);
      this.box.value = "";
      this.box.style.height = "auto";
      this.problem.hidden = true;
    } catch (problem) {
      this.problem.textContent = problem.message;
      this.problem.hidden = false;
    }
  }
}
