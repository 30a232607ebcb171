// SPDX-License-Identifier: Apache-2.0
/*
 * Every entry of an assayd journal, exactly once and in order per topic, or a report of its loss.
 *
 *   const assay = require("assay");
 *   for await (const item of assay.entries({ cursor: "lims" })) {
 *     if (item.gap) console.error("lost:", item.gap);
 *     else console.log(item.seq, item.type, assay.isoTime(item.timeNs));
 *   }
 *
 * The same algorithm as tools/client/python/assay.py, without runs; docs/consumers.md has the guarantees.
 */
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const zmq = require("zeromq");
const { Decoder } = require("cbor-x");

const HEAD = "a1/head/";
const KEEP_MS = 20000; // the daemon gives a cursor to another program after 60 s without a request
const SOCKET_PATH = 107; // bytes of the path of a socket
const HEAD_MS = 5000; // without a heartbeat: reconnect
const ANSWER_MS = [2000, 30000]; // time limit of the first request; largest one
const PAGE_BYTES = 4 << 20;
const QUEUE_BYTES = 64 << 20; // of messages that wait in the live socket, as large as the largest so far
const QUEUE_ENTRY = 64 << 10; // the size of one that is assumed at least
const LOST = Number.MAX_SAFE_INTEGER; // `to` of a gap without known end
const QUALITY = { 1: "good", 2: "unchecked", 3: "suspect", 4: "bad", 9: "missing" };

const decoder = new Decoder({ mapsAsObjects: true, useRecords: false });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** Requests are encoded here: the daemon accepts lengths in their shortest form only, cbor-x writes others. */
function head(major, n) {
  if (n < 24) return Buffer.from([(major << 5) | n]);
  const bytes = n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8;
  const buffer = Buffer.alloc(1 + bytes, (major << 5) | (24 + Math.log2(bytes)));
  if (bytes === 8) buffer.writeBigUInt64BE(BigInt(n), 1);
  else buffer.writeUIntBE(n, 1, bytes);
  return buffer;
}

function encode(value) {
  if (typeof value === "number") return head(0, value);
  if (typeof value === "boolean") return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const pairs = Object.entries(value);
  return Buffer.concat([head(5, pairs.length), ...pairs.flat().map(encode)]);
}

class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

class Renewed extends Error {}

/** Nanoseconds since 1970, a BigInt or a Number, as RFC 3339 text with all nine digits. */
function isoTime(ns) {
  const all = BigInt(ns);
  const date = new Date(Number(all / 1000000n));
  return `${date.toISOString().slice(0, 19)}.${(all % 1000000000n).toString().padStart(9, "0")}Z`;
}

/** A copy that JSON.stringify takes: BigInt as text, bytes as hexadecimal text, arrays as arrays. */
function jsonSafe(value) {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  if (ArrayBuffer.isView(value)) return Array.from(value, jsonSafe);
  if (Array.isArray(value)) return value.map(jsonSafe);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonSafe(inner)]));
}

/** The values of a variable: a typed array, a number, a text or texts; of an even axis, its points. */
function values(variable) {
  const data = variable.data;
  if (data && typeof data === "object" && "step" in data)
    return Float64Array.from({ length: Number(data.n) }, (_, i) => data.start + data.step * i);
  return data && data.tag === 40 ? data.value[1] : data;
}

/** A record with its place in the journal; `bytes` is the entry as it was committed and hashed. */
class Entry {
  constructor(bytes, feed) {
    const [version, journal, seq, prev, committed, topic, body] = decoder.decode(bytes);
    if (version !== 1) throw new Error(`entry of version ${version}`);
    Object.assign(this, { bytes, journal: hex(journal), seq: Number(seq), prev: Number(prev), committed, topic });
    Object.defineProperty(this, "ack", { value: () => feed.ack(this) });
    Object.defineProperty(this, "body", { value: body });
  }

  get record() {
    const record = decoder.decode(this.body);
    Object.defineProperty(this, "record", { value: record });
    return record;
  }

  get type() { return this.record.type; }
  get instrument() { return this.record.inst && this.record.inst.key; }
  get timeNs() { return BigInt(this.record.t.utc); }
  get quality() { return this.record.q && (QUALITY[this.record.q.flag] || "unknown"); }
  get sha256() { return createHash("sha256").update(this.bytes).digest("hex"); }

  /** A frame that the next one replaces: never add them up. */
  get partial() { return this.record.partial === true; }

  /** The variable of this name, with its values in `values`; undefined: none. Throws if several fit: give more. */
  variable(name, { analyte, basis, channel } = {}) {
    const found = (this.record.vars || []).filter((v) => v.name === name &&
      (analyte === undefined || (v.analyte && v.analyte.name === analyte)) && (basis === undefined || v.basis === basis) &&
      (channel === undefined || v.channel === channel));
    if (found.length > 1) {
      const several = found.map((v) => [v.analyte && v.analyte.name, v.basis, v.channel].filter(Boolean).join(" ") || v.name);
      throw new Error(`${found.length} variables are named ${name}, of ${several.join(", ")}: give analyte, basis or channel`);
    }
    return found[0] && { ...found[0], values: values(found[0]) };
  }
}

/** Lost entries, in `gap`: {journal, topic, from, to, why}. */
class Gap {
  constructor(gap, feed) {
    this.gap = gap;
    Object.defineProperty(this, "ack", { value: () => feed.ack(this) });
  }
}

const placeOf = (item) => item.gap ? [item.gap.journal, item.gap.topic, item.gap.to] : [item.journal, item.topic, item.seq];

/** The options of sockets that use CURVE, from two files as `assayctl keygen` makes them. */
function loadKeys(key, serverKey) {
  if (key === undefined && serverKey === undefined) return {};
  if (key === undefined || serverKey === undefined)
    throw new Error("key and serverKey belong together: the own key file and that of the daemon's public key");
  if (fs.statSync(key).mode & 0o077) throw new Error(`${key}: its group or others have rights on this secret key: chmod 600`);
  const read = (file, name) => {
    const found = new RegExp(`^\\s+${name}\\s*=\\s*"([^"]{40})"\\s*$`, "m").exec(fs.readFileSync(file, "utf8"));
    if (!found) throw new Error(`${file}: the file has no ${name}`);
    return found[1];
  };
  return { curveServerKey: read(serverKey, "public-key"), curvePublicKey: read(key, "public-key"), curveSecretKey: read(key, "secret-key") };
}

/** The connections of a socket with keys: libzmq reports a refusal only as an event, and then does not try again. */
class Watch {
  #failures = 0;
  #isRefused = false;

  constructor(socket) {
    socket.events.on("handshake", () => { this.#failures = 0; });
    socket.events.on("handshake:error:auth", () => { this.#isRefused = true; });
    socket.events.on("handshake:error:protocol", () => { this.#failures++; });
    socket.events.on("handshake:error:other", () => { this.#failures++; });
  }

  check() {
    if (this.#isRefused)
      throw new Refused("not-authorised", "the daemon refuses this key: it is not in its list of authorised keys, or has not the role of this socket");
    if (this.#failures >= 3) // one may be the end of the daemon
      throw new Refused("not-authorised", "the exchange of keys fails: is the given public key that of this daemon?");
  }
}

class Feed {
  #keys;
  #liveWatch;
  #replayWatch;
  #live;
  #replay;
  #at = {}; // positions that were read: {journal: {topic: seq}}
  #acked = {};
  #unsaved = new Map();
  #savedAt = 0;
  #takenAt = 0;
  #settled = {}; // journal: all wanted entries up to here were read
  #journals = []; // oldest first; the last one is followed
  #present;
  #current;
  #closing = false;
  #isLoaded = false;
  #largest = QUEUE_ENTRY; // bytes of a live message

  constructor(options) {
    const known = ["dir", "topics", "simulated", "cursor", "start", "follow", "hwm", "ackEvery", "live", "replay", "key", "serverKey"];
    for (const name of Object.keys(options))
      if (!known.includes(name)) throw new Error(`there is no option ${name}; accepted: ${known.join(", ")}`);
    if (options.start !== undefined && !["now", "oldest"].includes(options.start))
      throw new Error(`start is "now" or "oldest", not ${options.start}`);
    if (options.topics !== undefined && !Array.isArray(options.topics)) throw new Error("topics is a list of prefixes");
    const { dir = "/run/assayd", topics = ["a1/data/"], simulated = false, cursor = null, start, follow = true, hwm = 10000,
      ackEvery = 1000, live = `ipc://${dir}/live`, replay = `ipc://${dir}/replay` } = options;
    this.#keys = loadKeys(options.key, options.serverKey);
    for (const endpoint of [live, replay]) {
      const length = Buffer.byteLength(endpoint) - "ipc://".length;
      if (endpoint.startsWith("ipc://") && length > SOCKET_PATH)
        throw new Error(`${endpoint.slice(6)}: the path of a socket has at most ${SOCKET_PATH} bytes, this one ${length}`);
    }
    for (const topic of topics)
      if (topic.startsWith("a1/sim-") && !simulated) throw new Error(`${topic} is simulated: request it by simulated: true`);
    const twins = topics.filter((topic) => /^a1\/(data|state)(\/|$)/.test(topic)).map((topic) => topic.replace("a1/", "a1/sim-"));
    this.prefixes = simulated ? [...topics, ...twins] : [...topics];
    Object.assign(this, { simulated, follow, hwm, ackEvery, endpoints: { live, replay } });
    this.name = typeof cursor === "string" ? cursor : null;
    this.mine = this.name === null ? cursor : null; // {journal: {topic: seq}}, the program's own
    this.start = start || (cursor === null ? "now" : "oldest");
  }

  /** {journal: {topic: seq}} of the acknowledged items. */
  get cursors() { return this.#acked; }

  /** Acknowledges `item` and all before it on its topic. */
  ack(item) {
    const [journal, topic, seq] = placeOf(item);
    this.#put(journal, topic, seq);
    if (item === this.#current) this.#current = null;
  }

  /** Ends the loop; acknowledged positions are stored. */
  close() {
    this.#closing = true;
    if (this.#live) this.#live.close();
  }

  /**
   * A loop that was left by break or an exception did not process its last item: the next loop over the feed begins with it.
   * After an exception of the feed the next item is requested again, it does not look like the end.
   */
  [Symbol.asyncIterator]() {
    let items = this.#items();
    return {
      next: () => items.next().catch((error) => {
        items = this.#items();
        throw error;
      }),
      return: () => items.return(),
      [Symbol.asyncIterator]() { return this; },
    };
  }

  async *#items() {
    try {
      this.#open();
      await this.#load();
      while (!this.#closing) {
        try {
          yield* this.#enter(await this.#hello());
          if (!this.follow) break;
          yield* this.#follow();
          if (!this.#closing) this.#open();
        } catch (error) {
          if (!(error instanceof Renewed)) throw error;
        }
      }
    } catch (error) {
      if (!this.#closing) throw error;
    } finally {
      this.#connectReplay();
      try {
        await this.#save(1);
      } finally {
        this.#live.close();
        this.#replay.close();
      }
    }
  }

  // --- sockets

  #open() {
    if (this.#live) this.#live.close();
    this.#live = new zmq.Subscriber({ linger: 0, receiveHighWaterMark: this.#queueLimit(), reconnectInterval: 50, reconnectMaxInterval: 1000, ...this.#keys });
    this.#liveWatch = this.#watch(this.#live);
    this.#live.subscribe(...this.prefixes, HEAD);
    this.#live.connect(this.endpoints.live);
    this.#connectReplay();
  }

  #watch(socket) {
    return this.#keys.curveServerKey ? new Watch(socket) : null;
  }

  #queueLimit() {
    return Math.max(1, Math.min(this.hwm, Math.floor(QUEUE_BYTES / this.#largest)));
  }

  /** libzmq counts messages only, so their number follows the size of the largest. */
  #noteSize(parts) {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if (size <= this.#largest) return;
    this.#largest = size;
    this.#live.receiveHighWaterMark = this.#queueLimit();
  }

  #connectReplay() {
    if (this.#replay) this.#replay.close();
    this.#replay = new zmq.Dealer({ linger: 0, reconnectInterval: 50, reconnectMaxInterval: 1000, ...this.#keys });
    this.#replayWatch = this.#watch(this.#replay);
    this.#replay.connect(this.endpoints.replay);
  }

  async #receive(socket, ms) {
    socket.receiveTimeout = ms;
    try {
      return await socket.receive();
    } catch (error) {
      if (error.code === "EAGAIN" && !this.#closing) return null;
      throw error;
    }
  }

  /** The reply to a request; waits while the daemon is away. null after `attempts`, if any. */
  async #request(request, attempts = 0) {
    let ms = ANSWER_MS[0];
    for (let tried = 1; ; tried++) {
      await this.#replay.send(encode(request));
      this.#replay.receiveTimeout = ms;
      const parts = await this.#replay.receive().catch((error) => {
        if (error.code !== "EAGAIN") throw error;
      });
      if (!parts) {
        if (this.#replayWatch) this.#replayWatch.check();
        this.#connectReplay(); // a late reply must not be taken for the reply to the next request
        ms = Math.min(2 * ms, ANSWER_MS[1]);
      } else {
        const reply = decoder.decode(parts[0]);
        if (reply.op !== "error") return [reply, parts.slice(1)];
        if (reply.code !== "busy") throw new Refused(reply.code, reply.text);
        await sleep(200);
      }
      if (tried === attempts) return null;
      if (this.#closing && !attempts) throw new Error("closed");
    }
  }

  async #hello() {
    return (await this.#request({ op: "hello", proto: 1 }))[0];
  }

  // --- cursors

  #put(journal, topic, seq) {
    const topics = (this.#acked[journal] ||= {});
    if (seq <= (topics[topic] ?? -1)) return;
    topics[topic] = seq;
    if (this.mine) (this.mine[journal] ||= {})[topic] = seq;
    if (this.name !== null) this.#unsaved.set(`${journal} ${topic}`, seq);
  }

  /** Reads the positions once; later they are those that this feed has acknowledged. */
  async #load() {
    if (!this.#isLoaded) await this.#loadStored();
    this.#isLoaded = true;
    this.#at = Object.fromEntries(Object.entries(this.#acked).map(([journal, topics]) => [journal, { ...topics }]));
    [this.#settled, this.#journals] = [{}, []];
  }

  async #loadStored() {
    const stored = this.mine ? Object.entries(this.mine).flatMap(([journal, topics]) =>
      Object.entries(topics).map(([topic, seq]) => [journal, topic, seq])) : [];
    if (this.name !== null) {
      this.#takenAt = Date.now();
      try {
        for (const at of (await this.#request({ op: "cursor", name: this.name, take: true }))[0].at)
          stored.push([hex(at.journal), at.topic, Number(at.seq)]);
      } catch (error) {
        if (error.code !== "not-found") throw error;
      }
    }
    for (const [journal, topic, seq] of stored) {
      (this.#acked[journal] ||= {})[topic] = seq;
    }
  }

  async #save(attempts) {
    for (const [key, seq] of [...this.#unsaved]) {
      const [journal, topic] = key.split(" ");
      const request = { op: "cursor", name: this.name, journal: Buffer.from(journal, "hex"), topic, seq };
      try {
        if ((await this.#request(request, attempts)) === null) return;
      } catch (error) {
        if (error.code !== "wrong-journal") throw error; // it is gone: no position is needed
      }
      if (this.#unsaved.get(key) === seq) this.#unsaved.delete(key);
    }
    this.#savedAt = Date.now();
  }

  /** The daemon gives a cursor to another program after 60 s of silence. */
  async #keep() {
    if (this.name === null || Date.now() < this.#takenAt + KEEP_MS) return;
    this.#takenAt = Date.now();
    await this.#request({ op: "cursor", name: this.name, take: true }).catch((error) => {
      if (error.code !== "not-found") throw error;
    });
  }

  async #saveWhenDue() {
    await this.#keep();
    if (this.#unsaved.size && Date.now() >= this.#savedAt + this.ackEvery) await this.#save(0);
  }

  // --- the algorithm

  #wants(topic) {
    return (this.simulated || !topic.startsWith("a1/sim-")) && this.prefixes.some((prefix) => topic.startsWith(prefix));
  }

  /** The entries of the topic up to here were read, or are known to be lost. */
  #position(journal, topic) {
    const at = this.#at[journal] || {};
    let seq = at[topic] || 0;
    for (const name in at) if (at[name] > seq && topic.startsWith(name)) seq = at[name];
    return seq;
  }

  /** Reads all journals up to the current one, and that one up to its head. */
  async *#enter(welcome) {
    const journals = welcome.journals.map((row) => hex(row.journal));
    this.#present = hex(welcome.journal);
    const known = (journal) => journal in this.#at;
    let begin = Math.max(0, journals.findLastIndex(known), journals.indexOf(this.#journals.at(-1)));
    const isNew = !Object.keys(this.#at).length;
    if (isNew && this.start === "now") {
      begin = journals.length - 1;
      this.#settle(this.#present, welcome.head);
    } else if (isNew && this.name !== null) { // keeps these entries from being removed
      for (const prefix of this.prefixes) this.#mark(journals[0], prefix, 0);
      await this.#save(0);
    }
    if (!isNew && !journals.some(known)) yield* this.#loseJournals();
    this.start = "oldest";
    for (let i = begin; i < journals.length - 1; i++) {
      for (const prefix of this.prefixes) yield* this.#scan(journals[i], prefix, Number(welcome.journals[i].last));
      this.#settle(journals[i], welcome.journals[i].last);
    }
    this.#journals = journals;
    yield* this.#catchUp(this.#present, welcome.topics, welcome.head);
  }

  /** All journals of our positions are gone: the entries after the positions are lost. */
  async *#loseJournals() {
    for (const [journal, topics] of Object.entries(this.#at)) {
      for (const [topic, seq] of Object.entries(topics)) {
        const isCovered = Object.keys(topics).some((name) => name !== topic && topic.startsWith(name));
        if (seq < LOST && !isCovered && (this.#wants(topic) || this.prefixes.includes(topic)))
          yield* this.#lose({ journal, topic, from: seq + 1, to: LOST, why: "damaged" });
      }
    }
  }

  async *#catchUp(journal, last, head) {
    for (const topic of Object.keys(last).sort())
      if (this.#wants(topic)) yield* this.#fetch(journal, topic, Number(last[topic]));
    this.#settle(journal, head);
    await this.#saveWhenDue();
  }

  /** All wanted entries up to `head` were read and processed. */
  #settle(journal, head) {
    this.#settled[journal] = Math.max(Number(head), this.#settled[journal] || 0);
    for (const prefix of this.prefixes) this.#mark(journal, prefix, Number(head));
  }

  #mark(journal, prefix, seq) {
    if (!prefix.endsWith("/")) return;
    const at = (this.#at[journal] ||= {});
    at[prefix] = Math.max(seq, at[prefix] || 0);
    this.#put(journal, prefix, seq);
  }

  /** Processes live messages until there are none. */
  async *#follow() {
    let heard = Date.now();
    while (!this.#closing) {
      const due = this.#unsaved.size ? Math.max(0, this.#savedAt + this.ackEvery - Date.now()) : HEAD_MS;
      const parts = await this.#receive(this.#live, Math.min(due, HEAD_MS));
      if (parts === null && this.#liveWatch) this.#liveWatch.check();
      if (parts === null && due >= HEAD_MS) return;
      if (parts !== null) this.#noteSize(parts);
      if (parts !== null && parts[0].toString().startsWith(HEAD)) {
        const head = decoder.decode(parts[1]);
        if (this.#isPresent(hex(head.journal))) {
          yield* this.#catchUp(hex(head.journal), head.last, head.head);
          heard = Date.now();
        }
      } else if (parts !== null) {
        yield* this.#takeLive(new Entry(parts[1], this));
      }
      if (Date.now() > heard + HEAD_MS) throw new Renewed(); // heartbeats are dropped: request one
      await this.#saveWhenDue();
    }
  }

  #isPresent(journal) {
    if (!this.#journals.includes(journal)) throw new Renewed();
    return journal === this.#journals.at(-1);
  }

  async *#takeLive(entry) {
    if (!this.#wants(entry.topic) || !this.#isPresent(entry.journal)) return;
    const at = this.#position(entry.journal, entry.topic);
    if (entry.seq <= at) return;
    if (entry.prev > at) yield* this.#fetch(entry.journal, entry.topic, entry.prev);
    yield* this.#deliver(entry);
  }

  /** One reply: entries, gaps, and the start of the next one. */
  async #page(journal, what, from, to) {
    const request = { op: "fetch", journal: Buffer.from(journal, "hex"), ...what, from, to, max_bytes: PAGE_BYTES };
    const [reply, parts] = await this.#request(request).catch((error) => {
      if (error.code === "wrong-journal" || error.code === "not-found") return [null];
      throw error;
    });
    const isShort = reply && !reply.next && reply.head < to && journal === this.#present;
    if (!reply || isShort) { // announced entries are missing: retry
      await sleep(200);
      throw new Renewed();
    }
    const gaps = reply.gaps.map((gap) => ({ from: Number(gap.from), to: Number(gap.to), why: gap.why }));
    return [parts.map((part) => new Entry(part, this)), gaps, Number(reply.next) || to + 1];
  }

  /** Delivers the entries of a topic up to seq `to`, which is on it, and reports lost ones. */
  async *#fetch(journal, topic, to) {
    let begin = this.#position(journal, topic) + 1;
    let gaps = [];
    while (begin <= to) {
      const [entries, found, next] = await this.#page(journal, { topic }, begin, to);
      for (const entry of entries) {
        while (found.length && found[0].from < entry.seq) gaps.push(found.shift());
        if (entry.prev > this.#position(journal, topic)) yield* this.#missing(journal, topic, gaps, entry.prev);
        gaps = [];
        if (entry.seq > this.#position(journal, topic)) yield* this.#deliver(entry);
      }
      gaps.push(...found);
      begin = next;
    }
    if (to > this.#position(journal, topic)) yield* this.#missing(journal, topic, gaps, to);
  }

  /** `to` is on the topic and was not received. Gaps after it have no entries of this topic. */
  async *#missing(journal, topic, gaps, to) {
    const at = this.#position(journal, topic);
    const holes = [];
    for (const gap of gaps) {
      const from = Math.max(gap.from, at + 1);
      if (from > to || gap.to < from) continue;
      if (holes.length && holes.at(-1).why === gap.why) holes.at(-1).to = gap.to;
      else holes.push({ journal, topic, from, to: gap.to, why: gap.why });
    }
    const covered = holes.length ? holes.at(-1).to : at;
    if (covered < to) holes.push({ journal, topic, from: covered + 1, to, why: "damaged" }); // never lost without a report
    for (const hole of holes) yield* this.#lose(hole);
  }

  /** Delivers an older journal. Its topics are unknown, so a hole is a gap of the prefix. */
  async *#scan(journal, prefix, to) {
    const settled = this.#settled[journal] || 0;
    let begin = Math.max((this.#at[journal] || {})[prefix] || 0, settled) + 1;
    while (begin <= to) {
      const [entries, gaps, next] = await this.#page(journal, { prefix }, begin, to);
      for (const entry of [...entries, null]) {
        while (gaps.length && (entry === null || gaps[0].from < entry.seq)) yield* this.#lose({ journal, topic: prefix, ...gaps.shift() });
        if (entry === null || !this.#wants(entry.topic)) continue;
        const at = this.#position(journal, entry.topic);
        if (entry.prev > Math.max(at, settled)) yield* this.#missing(journal, entry.topic, [], entry.prev);
        if (entry.seq > at) yield* this.#deliver(entry);
      }
      begin = next;
    }
    (this.#at[journal] ||= {})[prefix] = to;
  }

  async *#lose(gap) {
    yield* this.#deliver(new Gap(gap, this));
  }

  /** Yields an item; when the next one is requested, the program has processed it. */
  async *#deliver(item) {
    const [journal, topic, seq] = placeOf(item);
    (this.#at[journal] ||= {})[topic] = seq;
    this.#current = item;
    yield item;
    if (this.#current === item) this.ack(item);
    await this.#saveWhenDue();
  }
}

/**
 * Entries, and a Gap in the place of lost ones: for await (const item of entries({...})).
 *
 * dir        folder of the daemon's sockets
 * topics     prefixes; ["a1/data/"]
 * simulated  true: simulated instruments, too
 * cursor     a name (the daemon keeps it) or an object {journal: {topic: seq}} (the program keeps it)
 * start      "now" or "oldest", for a cursor that is empty
 * follow     false: ends after the entries that the journal had at the start
 * hwm        messages that wait in the socket; dropped ones are fetched
 * live, replay  endpoints, instead of those in dir; tcp://... from another machine, with
 * key, serverKey  files of the own key pair and of the daemon's public key; Refused if it does not let that key in
 */
function entries(options = {}) {
  return new Feed(options);
}

module.exports = { entries, Entry, Gap, Refused, isoTime, jsonSafe, values };
