// The workspace's stream of events, and the page's posts to it.

/** Call hear(event) for every event, and lost(true) while the workspace cannot be reached. Return a function that ends the stream. */
export function listen(person, hear, lost) {
  let source;
  let again;
  const open = () => {
    source = new EventSource(`/live?person=${encodeURIComponent(person)}`);
    source.onmessage = (message) => {
      lost(false);
      hear(JSON.parse(message.data));
    };
    source.onerror = () => {
      lost(true);
      source.close();
      again = setTimeout(open, 1000);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}

/** Post to one of the page's addresses; rejects with the workspace's own sentence. */
export async function post(path, body) {
  let reply;
  try {
    reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("The workspace does not answer. Is it still running?");
  }
  if (!reply.ok) throw new Error((await reply.json()).error);
}
