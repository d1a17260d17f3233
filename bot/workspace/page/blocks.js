// Draws Block Kit blocks as DOM nodes. `context` is {names, act(block, element, value)}; act returns a promise.

import { chart } from "./charts.js";
import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

const RENDER = { section, header, context, divider: () => el("hr"), actions, image: imageBlock, table, data_visualization: chart };

export function blocks(list, context) {
  return list.map((block) => el("div", { class: `block block-${block.type}` }, RENDER[block.type](block, context)));
}

function text(object, { names }) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, names, object.verbatim);
  return [document.createTextNode(plain(object))];
}

function plain(object) {
  return object.emoji === false ? object.text : withEmoji(object.text);
}

function section(block, context) {
  const fields = block.fields?.map((field) => el("div", { class: "field" }, text(field, context)));
  return [
    el("div", { class: "section-body" }, block.text && el("div", {}, text(block.text, context)), fields && el("div", { class: "fields" }, fields)),
    block.accessory && el("div", { class: "accessory" }, element(block, block.accessory, context)),
  ];
}

function header(block) {
  return el("h3", {}, plain(block.text));
}

function context(block, surroundings) {
  return block.elements.map((one) => (one.type === "image" ? image(one) : el("span", {}, text(one, surroundings))));
}

function actions(block, context) {
  return block.elements.map((one) => element(block, one, context));
}

function imageBlock(block) {
  return el("figure", {}, block.title && el("figcaption", {}, plain(block.title)), image(block));
}

function image({ image_url: source, alt_text: alt }) {
  return el("img", { src: source, alt, loading: "lazy" });
}

function table(block) {
  const aligned = (column) => `align-${block.column_settings?.[column]?.align ?? "left"}`;
  const cells = (row, tag) => el("tr", {}, row.map((cell, column) => el(tag, { class: aligned(column) }, cell.text)));
  const [first, ...rest] = block.rows;
  return el("table", {}, el("thead", {}, cells(first, "th")), el("tbody", {}, rest.map((row) => cells(row, "td"))));
}

function element(block, one, context) {
  return { button, static_select: select, overflow, image }[one.type](one, (value) => press(block, one, value, context));
}

async function press(block, one, value, context) {
  if (one.confirm && !(await confirmed(one.confirm, context))) return false;
  await context.act(block, one, value);
  return true;
}

function button(one, act) {
  const label = plain(one.text);
  const style = one.style ? ` ${one.style}` : "";
  const made = el("button", { type: "button", class: `action${style}`, "aria-label": one.accessibility_label, dataset: { testid: `button-${label}` } }, label);
  made.addEventListener("click", async () => {
    made.disabled = true;
    if ((await act("")) && one.url) window.open(one.url, "_blank", "noopener");
    made.disabled = false;
  });
  return made;
}

function select(one, act) {
  const label = one.placeholder ? plain(one.placeholder) : "Choose …";
  const options = one.options.map((option) => el("option", { value: option.value, selected: option.value === one.initial_option?.value }, plain(option.text)));
  const made = el("select", { class: "action", "aria-label": label, dataset: { testid: `select-${label}` } }, el("option", { value: "", disabled: true, selected: !one.initial_option }, label), options);
  made.addEventListener("change", async () => {
    if (!(await act(made.value))) made.selectedIndex = 0;
  });
  return made;
}

function overflow(one, act) {
  const choices = one.options.map((option) =>
    el("button", { type: "button", onclick: (event) => { event.target.closest("details").open = false; act(option.value); } }, plain(option.text)),
  );
  return el("details", { class: "overflow", dataset: { testid: "overflow" } }, el("summary", { "aria-label": "More" }, "⋯"), el("div", { class: "choices" }, choices));
}

/** Ask for Slack's confirmation in a modal dialog; resolves to whether the person confirmed. */
function confirmed({ title, text: question, confirm, deny, style }, context) {
  const dialog = document.querySelector("dialog.confirm");
  const answer = (value, label, name) => el("button", { value, class: `action ${name}`, dataset: { testid: `button-${plain(label)}` } }, plain(label));
  dialog.replaceChildren(
    el("form", { method: "dialog" }, el("h3", {}, plain(title)), el("p", {}, text(question, context)), el("div", { class: "block-actions" }, answer("yes", confirm, style ?? "primary"), answer("no", deny, ""))),
  );
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
