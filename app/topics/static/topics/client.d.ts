import type { Connect, Topics } from "./types.js";
/**
 * The page's connection: the same, however often it is asked for.
 * @param {Connect} [options]
 * @returns {Topics}
 */
export declare function connect(options?: Connect): Topics;
