// SPDX-License-Identifier: Apache-2.0
/* A small consumer on assay.js, as behaviour.py describes it; without --runs. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const assay = require(path.join(__dirname, "../../../tools/client/javascript/assay.js"));

const text = { type: "string" };
const { values: args } = parseArgs({
  options: { dir: text, topic: { type: "string", multiple: true }, simulated: { type: "boolean" }, "from-output": text,
    cursor: text, hwm: text, count: text, fail: text },
});

/* Where the lines of the output end, per journal and topic; a torn last line is cut off. */
function positionsOf(file) {
  const positions = {};
  if (!fs.existsSync(file)) return positions;
  const whole = fs.readFileSync(file);
  const good = whole.lastIndexOf("\n") + 1;
  for (const raw of whole.subarray(0, good).toString().split("\n").slice(0, -1)) {
    const line = JSON.parse(raw);
    const at = line.gap || line;
    const topics = (positions[at.journal] ||= {});
    topics[at.topic] = Math.max(at.to || at.seq, topics[at.topic] || 0);
  }
  fs.truncateSync(file, good);
  return positions;
}

async function main() {
  const file = args["from-output"];
  const cursor = file ? positionsOf(file) : args.cursor || null;
  const output = file ? fs.openSync(file, "a") : 1;
  const feed = assay.entries({ dir: args.dir, topics: args.topic || ["a1/data/"], simulated: args.simulated, cursor,
    start: "oldest", hwm: Number(args.hwm || 10000), live: process.env.ASSAY_LIVE, replay: process.env.ASSAY_REPLAY,
    key: process.env.ASSAY_KEY, serverKey: process.env.ASSAY_SERVER_KEY });
  let isEnding = false;
  process.on("SIGTERM", () => {
    isEnding = true;
    feed.close();
  });
  let given = 0, tried = 0;
  const consume = async () => {
    for await (const item of feed) {
      if (++tried % Number(args.fail || Infinity) === 0) return false; // not processed
      const { journal, topic, seq, prev, sha256 } = item;
      fs.writeSync(output, JSON.stringify(item.gap ? { gap: item.gap } : { journal, topic, seq, prev, sha256 }) + "\n");
      item.ack();
      if (++given === Number(args.count || 0) || isEnding) break;
    }
    return true;
  };
  while (!(await consume()));
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
