// Says what the official parser finds in an AsyncAPI document, down to its hints; fails where it finds anything.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { path, message } of diagnostics) console.error(`${path.join(".")}: ${message}`);
process.exitCode = document && diagnostics.length === 0 ? 0 : 1;
