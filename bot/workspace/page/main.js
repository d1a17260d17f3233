// The page of the local workspace. Tests find elements by data-testid:
//   channel-<name>          a channel in the sidebar (channel-likewatch: the direct messages); acting-as: who you are
//   connection              "Likewatch is connected" or what is missing
//   messages                the open channel's list; thread: the thread pane
//   message                 one message; inside it message-text (text or blocks), ephemeral (around what only you see),
//                           chart, button-<label>, select-<placeholder>, overflow, replies, reply, dismiss
//   message-box, send       where you type; Enter sends. In a thread: thread-message-box, thread-send. problem: what went wrong
//   confirm                 the confirmation dialog; example: a first command to try, in an empty channel

import { Composer } from "./composer.js";
import { el } from "./dom.js";
import { listen, post } from "./live.js";
import { countReplies, markDays, messageItem, refreshTimes } from "./messages.js";

const SHOWN = 500; // the newest messages of a channel that are drawn
const find = (selector) => document.querySelector(selector);
const stored = (key, fallback) => JSON.parse(localStorage.getItem(`workspace.${key}`)) ?? fallback;
const store = (key, value) => localStorage.setItem(`workspace.${key}`, JSON.stringify(value));

let world = null; // the last snapshot, kept up to date by events
let messages = new Map(); // channel id -> Map(ts -> message)
const channelButtons = new Map(); // channel id -> its button in the sidebar
let openId = null;
let threadTs = null;
let me = new URLSearchParams(location.search).get("person") ?? stored("me", "ana");
let stopListening = () => {};

const names = {
  user: (id) => (id === world.bot.id ? world.bot.name : world.people[id]?.real_name),
  channel: (id) => world.channels.find((channel) => channel.id === id)?.name,
  openChannel: (id) => openChannel(id),
};
const current = () => world.channels.find((channel) => channel.id === openId);
const inChannel = (id) => [...(messages.get(id)?.values() ?? [])];
const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;
const inMainList = (message) => !isReply(message) || message.subtype === "thread_broadcast";
const repliesTo = (ts) => inChannel(openId).filter((message) => message.thread_ts === ts && message.ts !== ts && !message.ephemeral);
/** Return the parts of a message that are drawn with the message. Its count of replies is drawn apart. */
const looks = ({ thread_ts: _, ...shown }) => JSON.stringify(shown);
const label = (channel) => (channel.person_id ? channel.name : `#${channel.name}`);

const channelBox = new Composer({ testid: "message-box", label: "Message", send: (text) => say(text, ""), suggest });
const threadBox = new Composer({ testid: "thread-message-box", label: "Reply", send: (text) => say(text, threadTs), suggest: suggestNames });
channelBox.box.id = "message-box";
find("main .composer-place").append(channelBox.element);
find(".thread .composer-place").append(threadBox.element);

function say(text, thread) {
  return post("/say", { person: me, channel: openId, text, thread_ts: thread });
}

function suggest(typed) {
  if (!typed.startsWith("/")) return suggestNames(typed);
  const [command, ...rest] = typed.split(" ");
  if (rest.length) {
    return world.commands.filter((one) => one.command === command).map((one) => ({ value: "", label: one.command, hint: one.usage_hint }));
  }
  return world.commands.filter((one) => one.command.startsWith(command)).map((one) => ({ value: `${one.command} `, label: one.command, hint: `${one.usage_hint} – ${one.description}` }));
}

function suggestNames(typed) {
  const typing = /(?:^|\s)@(\w*)$/.exec(typed);
  if (!typing) return [];
  const known = [world.bot.name, ...Object.values(world.people).map((person) => person.name)];
  return known
    .filter((name) => name.toLowerCase().startsWith(typing[1].toLowerCase()) && name.length > typing[1].length)
    .map((name) => ({ value: `${typed.slice(0, typed.length - typing[1].length)}${name} `, label: `@${name}`, hint: "" }));
}

const HEARD = {
  snapshot(event) {
    world = event;
    messages = new Map();
    for (const message of event.messages) remember(message);
    find(".team").textContent = event.team;
    drawPeople();
    openChannel(current() ? openId : (byHash() ?? world.channels[0]).id);
    drawConnection();
  },
  message({ message }) {
    const known = messages.get(message.channel)?.get(message.ts);
    remember(message);
    if (message.channel === openId) {
      if (!known || looks(known) !== looks(message)) drawMessage(message, !known && message.user === world.bot.id);
      markRead();
    }
    drawChannels();
  },
  gone({ channel, ts }) {
    messages.get(channel)?.delete(ts);
    for (const item of document.querySelectorAll(`[data-ts="${ts}"]`)) item.remove();
    drawEmpty();
  },
  channels({ channels }) {
    world.channels = channels;
    drawChannels();
    drawEmpty();
  },
  connection({ connected }) {
    world.connected = connected;
    drawConnection();
  },
};

function remember(message) {
  if (!messages.has(message.channel)) messages.set(message.channel, new Map());
  messages.get(message.channel).set(message.ts, message);
}

function byHash() {
  return world.channels.find((channel) => channel.name === decodeURIComponent(location.hash.slice(1)));
}

function openChannel(id) {
  if (!world.channels.some((channel) => channel.id === id)) return;
  openId = id;
  closeThread();
  const channel = current();
  find("main .name").textContent = label(channel);
  find("main .topic").textContent = channel.person_id ? "Between you and the app" : channel.topic;
  document.title = `${label(channel)} – ${world.team}`;
  history.replaceState(null, "", `#${channel.name}`);
  channelBox.aim(`Message ${label(channel)}, or type / for commands`);
  find("main .messages").replaceChildren(...inChannel(id).filter(inMainList).slice(-SHOWN).map(item));
  markDays(find("main .messages"));
  markRead();
  drawChannels();
  drawEmpty();
  toBottom(find("main .scroll"));
  showSidebar(false);
  channelBox.box.focus();
}

function item(message) {
  return drawn(message, false);
}

function drawn(message, inThread) {
  return messageItem(message, {
    author: names.user(message.user) ?? "Slackbot",
    isBot: message.user === world.bot.id,
    names,
    inThread,
    replies: repliesTo(message.ts),
    openThread: (parent) => openThread(parent.thread_ts ?? parent.ts),
    dismiss: (one) => attempt(post("/dismiss", { person: me, channel: one.channel, ts: one.ts })),
    act: (block, element, value) => attempt(post("/press", { person: me, channel: message.channel, ts: message.ts, block_id: block.block_id, action_id: element.action_id, value })),
  });
}

async function attempt(posted) {
  try {
    await posted;
  } catch (problem) {
    channelBox.problem.textContent = problem.message;
    channelBox.problem.hidden = false;
  }
}

/** Draw a message in the channel, in the open thread, or in both, and draw its parent's count of replies. */
function drawMessage(message, arrived) {
  if (inMainList(message)) place(find("main .messages"), item(message), arrived);
  if (isReply(message)) {
    const parent = find(`main .messages > [data-ts="${message.thread_ts}"]`);
    if (parent) countReplies(parent, repliesTo(message.thread_ts).length);
  }
  if (threadTs && [message.ts, message.thread_ts].includes(threadTs)) place(find(".thread .messages"), drawn(message, true), arrived);
  drawEmpty();
}

function place(list, made, arrived) {
  const scroll = list.parentElement;
  const stay = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight > 120;
  const old = list.querySelector(`[data-ts="${made.dataset.ts}"]`);
  if (arrived) made.classList.add("arrived");
  if (old) {
    old.replaceWith(made);
  } else {
    const after = [...list.children].reverse().find((other) => Number(other.dataset.ts) < Number(made.dataset.ts));
    if (after) after.after(made);
    else list.prepend(made);
  }
  markDays(list);
  const isAnswer = arrived && !old && made.classList.contains("ephemeral"); // to what the reader asked just now
  if (!stay || isAnswer) toBottom(scroll);
}

function toBottom(scroll) {
  scroll.scrollTop = scroll.scrollHeight;
}

function openThread(ts) {
  threadTs = ts;
  find(".thread").hidden = false;
  const shown = inChannel(openId).filter((message) => message.ts === ts || message.thread_ts === ts);
  find(".thread .messages").replaceChildren(...shown.map((message) => drawn(message, true)));
  threadBox.aim(`Reply, or ask @${world.bot.name} …`);
  toBottom(find(".thread .scroll"));
  threadBox.box.focus();
}

function closeThread() {
  threadTs = null;
  find(".thread").hidden = true;
}

function drawPeople() {
  const options = Object.values(world.people).map((person) => el("option", { value: person.name, selected: person.id === world.me }, `${person.real_name}, ${person.title.toLowerCase()}`));
  find(".acting-as").replaceChildren(...options);
}

/** Keep the buttons' elements while messages arrive, so that no click under way and no focus is lost. */
function drawChannels() {
  const read = stored(`read.${me}`, {});
  const buttons = world.channels.map((channel) => {
    const newest = Math.max(0, ...inChannel(channel.id).filter((message) => message.user !== world.me).map((message) => Number(message.ts)));
    const button = channelButtons.get(channel.id) ?? channelButton(channel);
    const unread = channel.id !== openId && newest > (read[channel.id] ?? 0);
    button.classList.toggle("unread", unread);
    button.querySelector(".dot")?.remove();
    if (unread) button.append(el("span", { class: "dot", role: "img", "aria-label": "unread" }));
    if (channel.id === openId) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    return button;
  });
  const place = find(".channels");
  if (buttons.length !== place.children.length || buttons.some((button, index) => button !== place.children[index])) place.replaceChildren(...buttons);
}

function channelButton(channel) {
  const button = el(
    "button",
    { type: "button", dataset: { testid: `channel-${channel.name.toLowerCase()}` }, onclick: () => openChannel(channel.id) },
    el("span", { class: "sign" }, channel.person_id ? "●" : "#"), channel.name,
  );
  channelButtons.set(channel.id, button);
  return button;
}

function markRead() {
  const newest = Math.max(0, ...inChannel(openId).map((message) => Number(message.ts)));
  store(`read.${me}`, { ...stored(`read.${me}`, {}), [openId]: newest });
}

function drawEmpty() {
  const place = find(".empty");
  const channel = current();
  place.hidden = inChannel(openId).some(inMainList);
  if (place.hidden) return;
  const example = (text) => el("button", { type: "button", class: "example", dataset: { testid: "example" }, onclick: () => channelBox.put(text) }, text);
  const examples = world.commands.map((command) => command.example).filter(Boolean);
  const absent = !channel.bot_is_in && el("p", {}, `${world.bot.name} is not in this channel. `, example(`/invite @${world.bot.name}`), " adds it.");
  place.replaceChildren(el("h3", {}, `This is ${label(channel)}. Nothing has been said yet.`), el("p", {}, "Try first: ", examples.map(example)), absent || "");
}

function drawConnection() {
  const place = find(".connection");
  place.classList.toggle("connected", world.connected);
  place.textContent = world.connected ? `${world.bot.name} is connected` : `${world.bot.name} is not connected: commands get no answer. Start it, and this changes by itself.`;
}

function showSidebar(shown) {
  find(".app").classList.toggle("with-sidebar", shown);
  find(".menu").setAttribute("aria-expanded", String(shown));
}

function begin() {
  stopListening();
  stopListening = listen(me, (event) => HEARD[event.type](event), (lost) => { find(".offline").hidden = !lost; });
}

find(".acting-as").addEventListener("change", (event) => {
  me = event.target.value;
  store("me", me);
  openId = current()?.person_id ? null : openId;
  begin();
});
find(".thread .close").addEventListener("click", () => { closeThread(); channelBox.box.focus(); });
find(".menu").addEventListener("click", () => showSidebar(!find(".app").classList.contains("with-sidebar")));
window.addEventListener("hashchange", () => { const channel = world && byHash(); if (channel) openChannel(channel.id); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && threadTs && !find("dialog").open) closeThread(); });
setInterval(() => refreshTimes(document), 30_000);
begin();
