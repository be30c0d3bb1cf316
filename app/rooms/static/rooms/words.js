// The page's language. Its catalogue is a script that runs before any module, as base.html has it: Django's own, from
// locale/. In English there is none, and the words are as they are written.

const words = globalThis.django;

export const gettext = words?.gettext ?? ((text) => text);
export const ngettext = words?.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

// "%(count)s new" with { count: 3 }
export const interpolate = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

// For Intl: the page's language as the reader's browser has it, such as en-GB.
const { lang } = document.documentElement;
const base = (tag) => tag.toLowerCase().split("-")[0];
export const locale = navigator.languages.find((tag) => base(tag) === base(lang)) ?? (lang || undefined);
