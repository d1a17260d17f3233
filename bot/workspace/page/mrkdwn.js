// Draws Slack's mrkdwn as DOM nodes. https://docs.slack.dev/messaging/formatting-message-text
// Text becomes text nodes, so nothing in it can become HTML. Only <…> tokens become links and mentions.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };
const CODE = /^`([^`\n]+)`/;
const TOKEN = /^<([^<>\n]+)>/;
const SHORTCODE = /^:([a-z0-9_+-]+):/;
const ADDRESS = /^https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)'"]/;
const STYLED = /^([*_~])(?=\S)((?:<[^<>\n]*>|`[^`\n]*`|(?!\1)[^\n])*?\S)\1(?![\p{L}\p{N}_])/u;
const WORD = /[\p{L}\p{N}_*~]/u;

export function unescape(text) {
  return text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}

/**
 * Return the nodes of a text. `names` resolves ids: {user(id), channel(id)} -> a name or undefined, openChannel(id).
 * `verbatim`: bare addresses stay text.
 */
export function mrkdwn(text, names, verbatim = false) {
  return text.split(/```([\s\S]+?)```/).flatMap((part, index) =>
    index % 2 ? [el("pre", {}, unescape(part.replace(/^\n/, "")))] : lines(part, names, verbatim),
  );
}

function lines(text, names, verbatim) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (quote) quote.append(el("br"));
      else nodes.push((quote = el("blockquote")));
      quote.append(...inline(quoted[1], names, verbatim));
      return;
    }
    if (index > 0 && !quote) nodes.push(el("br"));
    quote = null;
    nodes.push(...inline(line, names, verbatim));
  });
  return nodes;
}

function inline(text, names, verbatim) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(document.createTextNode(unescape(plain)));
    plain = "";
  };
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const before = at ? text[at - 1] : "";
    const [length, node] = special(rest, before, names, verbatim) ?? [1, null];
    if (node) {
      flush();
      nodes.push(node);
    } else {
      plain += rest.slice(0, length);
    }
    at += length;
  }
  flush();
  return nodes;
}

/** Return [length, node] of the markup that begins here; nothing for plain text. */
function special(rest, before, names, verbatim) {
  let match;
  if ((match = CODE.exec(rest))) return [match[0].length, el("code", {}, unescape(match[1]))];
  if ((match = TOKEN.exec(rest))) return [match[0].length, token(match[1], names) ?? document.createTextNode(unescape(match[0]))];
  if ((match = SHORTCODE.exec(rest)) && emoji(match[1])) return [match[0].length, document.createTextNode(emoji(match[1]))];
  if (!verbatim && !WORD.test(before) && (match = ADDRESS.exec(rest))) return [match[0].length, link(unescape(match[0]), unescape(match[0]))];
  if (!WORD.test(before) && (match = STYLED.exec(rest))) return [match[0].length, el(STYLES[match[1]], {}, inline(match[2], names, verbatim))];
  return undefined;
}

function token(inside, names) {
  const [target, label] = split(inside);
  if (target.startsWith("@")) return el("span", { class: "mention" }, `@${names.user(target.slice(1)) ?? "unknown"}`);
  if (target.startsWith("#")) {
    const id = target.slice(1);
    return el("button", { class: "mention", type: "button", onclick: () => names.openChannel(id) }, `#${names.channel(id) ?? "unknown"}`);
  }
  if (target.startsWith("!date^")) return date(target, unescape(label ?? ""));
  if (/^!(channel|here|everyone)$/.test(target)) return el("span", { class: "mention loud" }, `@${target.slice(1)}`);
  return link(unescape(target), unescape(label ?? target));
}

function split(inside) {
  const bar = inside.indexOf("|");
  return bar < 0 ? [inside, undefined] : [inside.slice(0, bar), inside.slice(bar + 1)];
}

function link(address, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return undefined;
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

function date(target, fallback) {
  const [, seconds, format] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (!format || Number.isNaN(at.getTime())) return document.createTextNode(fallback);
  const text = format.replace(/\{(\w+)\}/g, (whole, name) => DATES[name]?.(at) ?? whole);
  return el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, text);
}

const day = (month, weekday) => (at) => at.toLocaleDateString(undefined, { day: "numeric", month, year: "numeric", weekday });
const pretty = (plain) => (at) => {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return { 0: "today", 1: "yesterday", "-1": "tomorrow" }[days] ?? plain(at);
};
const DATES = {
  date_num: (at) => [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-"),
  date: day("long"),
  date_short: day("short"),
  date_long: day("long", "long"),
  date_pretty: pretty(day("long")),
  date_short_pretty: pretty(day("short")),
  date_long_pretty: pretty(day("long", "long")),
  time: (at) => at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }),
  time_secs: (at) => at.toLocaleTimeString(),
  ago,
};

/** "3 minutes ago" */
export function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const [unit, size] = [["day", 86_400], ["hour", 3600], ["minute", 60]].find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}
