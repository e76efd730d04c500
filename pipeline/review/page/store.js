"use strict";
/* What is known of rows, takes and decisions, and how decisions are kept: at once by the server that
   shows this page, or in this browser (IndexedDB) where the page is a file. */

const Review = { listeners: [], cards: [], decisions: new Map(), undo: [], paces: [] };

Review.id = (entry, number) => `${number} ${entry}`;

Review.load = function (data) {
  Review.data = data;
  Review.served = data.served === true;
  Review.who = data.who || "";
  Review.cards = data.cards;
  for (const card of Review.cards) Review.note(card);
};

/* A card brings the decisions that the journal has about its takes. */
Review.note = function (card) {
  for (const take of card.takes) {
    take.entry = card.entry;
    if (take.said) Review.decisions.set(Review.id(card.entry, take.number), take.said);
  }
};

Review.latest = (card) => card.takes[card.takes.length - 1];
Review.said = (card, take) => take && Review.decisions.get(Review.id(card.entry, take.number));
Review.verdict = (card, take) => (Review.said(card, take) || {}).verdict || "";

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
      entry: card.entry, number: take.number, sha256: take.sha256,
      at: Date.now() / 1000, reviewer: Review.who, seen: old ? old.seq || 0 : 0,
    };
    if (now.verdict !== "reject") now.reason = "";
    before.push([card, take, old]);
    Review.decisions.set(Review.id(card.entry, take.number), now);
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

Review.changed = () => Review.listeners.forEach((tell) => tell());

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
Review.unsaved = () => waiting.size;

Review.send = function (decision) {
  waiting.set(Review.id(decision.entry, decision.number), decision);
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
    const id = Review.id(one.entry, one.number);
    if (waiting.get(id) === one) waiting.delete(id);
  }
  for (const { entry, number, seq } of told.saved) {
    const said = Review.decisions.get(Review.id(entry, number));
    const next = waiting.get(Review.id(entry, number));
    if (said) said.seq = seq;
    if (next) next.seen = Math.max(next.seen, seq);
  }
  for (const { entry, number } of told.gone) {
    Review.decisions.delete(Review.id(entry, number));
    if (Review.onGone) Review.onGone(entry, number);
  }
  for (const conflict of told.conflicts) {
    const id = Review.id(conflict.theirs.entry, conflict.theirs.number);
    const mine = Review.decisions.get(id);
    Review.decisions.set(id, conflict.theirs);
    if (Review.onConflict) Review.onConflict(mine, conflict.theirs);
  }
}

/* Mine all the same: they were seen now. */
Review.insist = function (mine, theirs) {
  const again = { ...mine, seen: theirs.seq, at: Date.now() / 1000 };
  Review.decisions.set(Review.id(mine.entry, mine.number), again);
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
      const id = Review.id(one.entry, one.number);
      if (!waiting.has(id)) Review.decisions.set(id, one);
    }
    Review.changed();
    if (news.cards && news.cards.length && Review.onCards) Review.onCards(news.cards);
  });
};

/* In this browser. */
let database = null;
Review.kept = null; // true once the browser keeps decisions, false if it does not

Review.open = () =>
  new Promise((done) => {
    const fail = () => {
      Review.kept = false;
      done();
    };
    let request;
    try {
      request = indexedDB.open(`reelsheet review ${Review.data.journal}`, 1);
    } catch {
      fail();
      return;
    }
    request.onupgradeneeded = () => {
      request.result.createObjectStore("decisions");
      request.result.createObjectStore("meta");
    };
    request.onerror = fail;
    request.onsuccess = () => {
      database = request.result;
      Review.kept = true;
      recall().then(done, fail);
    };
  });

function recall() {
  return new Promise((done, fail) => {
    const reading = database.transaction(["decisions", "meta"]);
    const all = reading.objectStore("decisions").getAll();
    const who = reading.objectStore("meta").get("who");
    reading.onerror = () => fail(reading.error);
    reading.oncomplete = () => {
      Review.who = who.result || "";
      for (const one of all.result) {
        const id = Review.id(one.entry, one.number);
        const theirs = Review.decisions.get(id);
        if (!theirs || theirs.at < one.at) Review.decisions.set(id, one);
      }
      done();
    };
  });
}

Review.put = function (decision) {
  if (!database) return;
  const writing = database.transaction("decisions", "readwrite");
  writing.objectStore("decisions").put(decision, Review.id(decision.entry, decision.number));
  writing.onerror = () => {
    Review.kept = false;
    Review.changed();
  };
};

Review.remember = function (name, value) {
  if (database) database.transaction("meta", "readwrite").objectStore("meta").put(value, name);
};

/* The file that `reelsheet review --import` takes: own decisions, those of this browser. */
Review.file = function () {
  const keys = new Map(Review.cards.map((card) => [card.entry, card.key]));
  const own = [...Review.decisions.values()].filter((one) => !one.seq || one.source === undefined);
  const decisions = own.map((one) => ({
    key: keys.get(one.entry) || one.entry, entry: one.entry, number: one.number,
    sha256: one.sha256, verdict: one.verdict, reason: one.reason, note: one.note,
    prompt: one.prompt, prompt_of: one.prompt_of, reviewer: one.reviewer || Review.who,
    at: new Date(one.at * 1000).toISOString(),
  }));
  const { journal, manifest } = Review.data;
  return JSON.stringify({ kind: "reelsheet decisions", schema: 1, journal, manifest, decisions }, null, 1);
};
