// Draws one message as a list item.

import { blocks } from "./blocks.js";
import { el, svg } from "./dom.js";
import { ago, mrkdwn } from "./mrkdwn.js";

const HOUR = 3_600_000;

/** `view` is {author, isBot, names, replies, inThread, act, dismiss, openThread}. */
export function messageItem(message, view) {
  const at = new Date(Number(message.ts) * 1000);
  const content = message.blocks ? blocks(message.blocks, view) : [el("div", { class: "text" }, mrkdwn(message.text, view.names))];
  const body = el(
    "div",
    { class: "body", dataset: message.ephemeral ? { testid: "ephemeral" } : {} },
    message.ephemeral && el("p", { class: "only-you" }, "Only visible to you"),
    el("p", { class: "byline" }, el("strong", {}, view.author), view.isBot && el("span", { class: "badge" }, "APP"), when(at), message.edited && el("span", { class: "edited" }, "(edited)")),
    el("div", { class: "content", dataset: { testid: "message-text" } }, content),
    footer(message, view),
  );
  const classes = ["message", message.ephemeral && "ephemeral", view.isBot && "from-bot"].filter(Boolean).join(" ");
  return el("li", { class: classes, dataset: { testid: "message", ts: message.ts, day: at.toDateString() } }, avatar(view), body, tools(message, view));
}

function when(at) {
  return el("time", { datetime: at.toISOString(), title: at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" }) }, shownTime(at));
}

function shownTime(at) {
  const time = at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return Date.now() - at < HOUR ? `${time} · ${ago(at)}` : time;
}

/** Update the times under `root`. */
export function refreshTimes(root) {
  for (const time of root.querySelectorAll(".byline time")) time.textContent = shownTime(new Date(time.dateTime));
}

function footer(message, view) {
  const replies = !view.inThread && el("button", { type: "button", class: "replies", dataset: { testid: "replies" }, onclick: () => view.openThread(message) });
  if (replies) count(replies, view.replies.length);
  const dismiss = message.ephemeral && el("button", { type: "button", class: "dismiss", dataset: { testid: "dismiss" }, onclick: () => view.dismiss(message) }, "Dismiss");
  return [replies || null, dismiss || null];
}

function count(button, replies) {
  button.textContent = `${replies} ${replies === 1 ? "reply" : "replies"}`;
  button.hidden = replies === 0;
}

/** Update the count of replies of a drawn message. Its other elements stay, so that no click under way is lost. */
export function countReplies(item, replies) {
  count(item.querySelector(".replies"), replies);
}

function tools(message, view) {
  if (message.ephemeral || view.inThread) return null;
  return el("div", { class: "tools" }, el("button", { type: "button", dataset: { testid: "reply" }, "aria-label": "Reply in thread", title: "Reply in thread", onclick: () => view.openThread(message) }, "↩"));
}

function avatar(view) {
  const inside = view.isBot ? svg("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, svg("path", { d: "M8 24v-6M16 24V14M24 24V8" })) : view.author[0];
  return el("div", { class: `avatar${view.isBot ? " bot" : ""}`, "aria-hidden": "true", dataset: { tone: String(view.author.charCodeAt(0) % 4) } }, inside);
}

/** Return the line with the day, above the first message of each day. */
export function markDays(list) {
  let previous = "";
  for (const item of list.children) {
    const { day } = item.dataset;
    if (day === previous) delete item.dataset.newDay;
    else item.dataset.newDay = new Date(day).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    previous = day;
  }
}
