"use strict";
/* What is known of rows, takes and decisions, and how decisions are kept: at once by the server that
   shows this page, or in this browser (IndexedDB) where the page is a file. */

const Review = { listeners: [], cards: [], decisions: new Map(), undo: [], paces: [] };

Review.id = (m, entry, number) => `${m || 0} ${number} ${entry}`;
Review.idOf = (one) => Review.id(one.m, one.entry, one.number);
Review.manifest = (card) => Review.manifests[card.m || 0];
Review.version = 0; // of all that cards show

Review.load = function (data) {
  Review.data = data;
  Review.manifests = data.manifests || [data];
  Review.served = data.served === true;
  Review.who = data.who || "";
  Review.cards = data.cards;
  for (const card of Review.cards) Review.note(card);
};

/* A card brings the decisions that the journal has about its takes. */
Review.note = function (card) {
  for (const take of card.takes) {
    take.id = Review.id(card.m, card.entry, take.number);
    if (take.said) Review.decisions.set(take.id, { ...take.said, m: card.m || 0 });
  }
};

Review.latest = (card) => card.takes[card.takes.length - 1];
Review.said = (card, take) => take && Review.decisions.get(take.id);
Review.verdict = (card, take) => (Review.said(card, take) || {}).verdict || "";
/* The text that a take was made of; the sheet may say something else by now. */
Review.promptOf = (card, take) => (take && take.prompt !== undefined ? take.prompt : card.prompt);

/* Where a row stands: "none" without a video, "open", "approve" or "reject". A new take is open
   again; a rejected one does not undo an earlier one that was approved. */
Review.standing = function (card) {
  const last = Review.latest(card);
  if (!last) return "none";
  const verdict = Review.verdict(card, last);
  if (verdict !== "reject") return verdict || "open";
  return card.takes.some((take) => Review.verdict(card, take) === "approve") ? "approve" : "reject";
};

Review.suspicious = (card) => card.takes.length > 0 && Review.latest(card).chips.length > 0;

Review.counts = function () {
  const counts = { open: 0, suspicious: 0, approve: 0, reject: 0, again: 0, none: 0, all: 0 };
  for (const card of Review.cards) {
    const standing = Review.standing(card);
    counts[standing] += 1;
    counts.all += 1;
    if (Review.suspicious(card)) counts.suspicious += 1;
  }
  counts.again = counts.reject;
  return counts;
};

/* Decide about takes. `changes` are pairs of a card and a take; `said` is what to change in the
   decision of each, a record or a function of card and take. Can be undone as one. */
Review.decide = function (changes, said, { undoable = true } = {}) {
  const before = [];
  for (const [card, take] of changes) {
    const old = Review.said(card, take);
    const wanted = typeof said === "function" ? said(card, take) : said;
    const now = {
      verdict: "", reason: "", note: "", prompt: "", prompt_of: "", ...strip(old), ...wanted,
      m: card.m || 0, entry: card.entry, number: take.number, sha256: take.sha256,
      at: Date.now() / 1000, reviewer: Review.who, seen: old ? old.seq || 0 : 0,
    };
    if (now.verdict !== "reject") now.reason = "";
    before.push([card, take, old]);
    Review.decisions.set(take.id, now);
    Review.keep(now);
  }
  if (undoable && before.length) {
    Review.undo.push(before);
    notePace();
  }
  Review.changed();
};

function strip(old) {
  if (!old) return {};
  const { verdict, reason, note, prompt, prompt_of } = old;
  return { verdict, reason, note, prompt, prompt_of };
}

/* Take back the last thing that was done, also a decision about many; returns its cards. */
Review.takeBack = function () {
  const last = Review.undo.pop();
  if (!last) return [];
  const nothing = { verdict: "", reason: "", note: "", prompt: "", prompt_of: "" };
  for (const [card, take, old] of last) {
    Review.decide([[card, take]], old ? strip(old) : nothing, { undoable: false });
  }
  return last.map(([card]) => card);
};

Review.changed = () => {
  Review.version += 1;
  Review.listeners.forEach((tell) => tell());
};

/* How long the next ones will take: the middle of the last intervals, four seconds to begin with. */
let lastAt = 0;
function notePace() {
  const now = performance.now();
  if (lastAt && now - lastAt < 60000) Review.paces.push((now - lastAt) / 1000);
  if (Review.paces.length > 20) Review.paces.shift();
  lastAt = now;
}
Review.pace = function () {
  if (Review.paces.length < 5) return 4;
  const sorted = [...Review.paces].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/* Keeping. */

Review.keep = (decision) => (Review.served ? Review.send(decision) : Review.put(decision));

/* To the server, gathered: at most ten times a second. */
const waiting = new Map();
let sending = false;
let writings = 0; // decisions that this browser is still writing: a page that is left now would lose them
Review.unsaved = () => waiting.size + writings;

Review.send = function (decision) {
  waiting.set(Review.idOf(decision), decision);
  if (!sending) {
    sending = true;
    setTimeout(flush, 100);
  }
};

async function flush() {
  const batch = [...waiting.values()].slice(0, 500);
  try {
    const answer = await fetch("api/decisions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ decisions: batch }),
    });
    if (answer.status !== 200 && answer.status !== 409) throw new Error(await answer.text());
    settle(batch, await answer.json());
    Review.trouble = "";
  } catch (error) {
    Review.trouble = String(error.message || error).slice(0, 200);
  }
  sending = waiting.size > 0;
  if (sending) setTimeout(flush, Review.trouble ? 2000 : 100);
  Review.changed();
}

function settle(batch, told) {
  for (const one of batch) {
    const id = Review.idOf(one);
    if (waiting.get(id) === one) waiting.delete(id);
  }
  for (const one of told.saved) {
    const said = Review.decisions.get(Review.idOf(one));
    const next = waiting.get(Review.idOf(one));
    if (said) said.seq = one.seq;
    if (next) next.seen = Math.max(next.seen, one.seq);
  }
  for (const one of told.gone) {
    Review.decisions.delete(Review.idOf(one));
    if (Review.onGone) Review.onGone(one);
  }
  for (const conflict of told.conflicts) {
    const id = Review.idOf(conflict.theirs);
    const mine = Review.decisions.get(id);
    Review.decisions.set(id, conflict.theirs);
    if (Review.onConflict) Review.onConflict(mine, conflict.theirs);
  }
}

/* Mine all the same: they were seen now. */
Review.insist = function (mine, theirs) {
  const again = { ...mine, seen: theirs.seq, at: Date.now() / 1000 };
  Review.decisions.set(Review.idOf(mine), again);
  Review.send(again);
  Review.changed();
};

/* What others decide and what a run makes meanwhile. */
Review.listen = function () {
  const source = new EventSource(`api/events?since=${Review.data.version || 0}`);
  source.addEventListener("news", (event) => {
    const news = JSON.parse(event.data);
    for (const [index, card] of news.cards || []) {
      Review.cards[index] = card;
      Review.note(card);
    }
    for (const one of news.decisions || []) {
      const id = Review.idOf(one);
      if (!waiting.has(id)) Review.decisions.set(id, one);
    }
    Review.changed();
    if (news.cards && news.cards.length && Review.onCards) Review.onCards(news.cards);
  });
};

/* Who decides, where each browser is asked: kept for this address, if the browser keeps anything. */
Review.askedName = function () {
  try {
    return localStorage.getItem("reelsheet reviewer") || "";
  } catch {
    return "";
  }
};
Review.setName = function (who) {
  Review.who = who;
  try {
    localStorage.setItem("reelsheet reviewer", who);
  } catch {
    // asked again next time
  }
};

/* In this browser: under the id of each journal, so that a page of several manifests and the page
   of one of them know the same. */
const databases = [];
Review.kept = null; // true once the browser keeps decisions, false if it does not

Review.open = async function () {
  try {
    for (const [m, one] of Review.manifests.entries()) {
      databases[m] = await openDatabase(one.journal);
      await recall(databases[m], m);
    }
    Review.kept = true;
  } catch {
    Review.kept = false;
  }
};

function openDatabase(journal) {
  return new Promise((done, fail) => {
    const request = indexedDB.open(`reelsheet review ${journal}`, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("decisions");
      request.result.createObjectStore("meta");
    };
    request.onerror = () => fail(request.error);
    request.onsuccess = () => done(request.result);
  });
}

function recall(database, m) {
  return new Promise((done, fail) => {
    const reading = database.transaction(["decisions", "meta"]);
    const all = reading.objectStore("decisions").getAll();
    const who = reading.objectStore("meta").get("who");
    reading.onerror = () => fail(reading.error);
    reading.oncomplete = () => {
      Review.who = who.result || Review.who;
      for (const found of all.result) {
        const one = { ...found, m };
        const theirs = Review.decisions.get(Review.idOf(one));
        if (!theirs || theirs.at < one.at) Review.decisions.set(Review.idOf(one), one);
      }
      done();
    };
  });
}

Review.put = function (decision) {
  const database = databases[decision.m || 0];
  if (!database) return;
  const ended = () => {
    writings -= 1;
    if (!writings) Review.changed();
  };
  try {
    const writing = database.transaction("decisions", "readwrite");
    writings += 1;
    writing.oncomplete = ended;
    writing.onabort = () => {
      Review.kept = false;
      ended();
    };
    writing.objectStore("decisions").put(decision, `${decision.number} ${decision.entry}`);
    writing.commit?.();
  } catch {
    Review.kept = false; // the database was closed or removed beneath the page
  }
};

Review.remember = function (name, value) {
  for (const database of databases) database.transaction("meta", "readwrite").objectStore("meta").put(value, name);
};

/* The command that takes over a saved file; of several manifests one each. */
Review.importing = () => Review.manifests.map((one) => one.importing).join(" and ");

/* The file that `reelsheet review --import` takes: own decisions, those of this browser. */
Review.file = function () {
  const keys = new Map(Review.cards.map((card) => [Review.id(card.m, card.entry, 0), card.key]));
  const own = [...Review.decisions.values()].filter((one) => !one.seq || one.source === undefined);
  const several = Review.manifests.length > 1;
  const decisions = own.map((one) => ({
    ...(several ? { journal: Review.manifest(one).journal } : {}),
    key: keys.get(Review.id(one.m, one.entry, 0)) || one.entry, entry: one.entry, number: one.number,
    sha256: one.sha256, verdict: one.verdict, reason: one.reason, note: one.note,
    prompt: one.prompt, prompt_of: one.prompt_of, reviewer: one.reviewer || Review.who,
    at: new Date(one.at * 1000).toISOString(),
  }));
  const manifest = Review.manifests.map((one) => one.manifest).join(", ");
  const journal = several ? "" : Review.manifests[0].journal;
  return JSON.stringify({ kind: "reelsheet decisions", schema: 1, journal, manifest, decisions }, null, 1);
};
