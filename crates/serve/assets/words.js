// Words and numbers as the page writes them, and the one way to make elements.
//
// Ids, roles and states are strangers' text: everything is inserted as text, and nothing is ever parsed as HTML.

/** An element with attributes and children; a child that is a string becomes text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Sets text only when it differs, so that the browser has nothing to do where nothing changed. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A length of time in its two largest units. */
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function count(n) {
  return n.toLocaleString("en-US");
}

/** The first part of a UUID; other ids are cut only when they are long. */
export function short(id) {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id)) return id.slice(0, 8);
  return id.length > 18 ? `${id.slice(0, 17)}…` : id;
}

/** What a completeness means, for somebody who reads the board. */
export const MEANING = {
  complete: "Somebody listened all the time; nothing is known to be missing.",
  repaired: "There was a gap, and it was closed by reading back.",
  partial: "Some events are known to be missing.",
  unknown: "For some of the last 24 hours nobody was listening.",
};
