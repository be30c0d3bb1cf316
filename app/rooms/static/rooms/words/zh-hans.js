'use strict';
{
  const globals = this;
  const django = globals.django || (globals.django = {});
  django.pluralidx = function(n) {
    const v = 0;
    if (typeof v === 'boolean') {
      return v ? 1 : 0;
    } else {
      return v;
    }
  };
  /* gettext library */
  django.catalog = django.catalog || {};
  const newcatalog = {
    "%(count)s message": [
      "%(count)s \u6761\u6d88\u606f"
    ],
    "%(count)s more": [
      "\u53e6\u6709 %(count)s \u4eba"
    ],
    "%(count)s new": [
      "%(count)s \u6761\u65b0\u6d88\u606f"
    ],
    "%(name)s is too large: a file has at most %(most)s.": "%(name)s \u592a\u5927\uff1a\u5355\u4e2a\u6587\u4ef6\u6700\u5927 %(most)s\u3002",
    "%(one)s and %(other)s are typing\u2026": "%(one)s \u548c %(other)s \u6b63\u5728\u8f93\u5165\u2026",
    "%(one)s is typing\u2026": "%(one)s \u6b63\u5728\u8f93\u5165\u2026",
    ", ": "\uff0c",
    "A message has at most %(most)s file.": [
      "\u4e00\u6761\u6d88\u606f\u6700\u591a\u9644\u5e26 %(most)s \u4e2a\u6587\u4ef6\u3002"
    ],
    "About this message": "\u5173\u4e8e\u8fd9\u6761\u6d88\u606f",
    "Close": "\u5173\u95ed",
    "Connecting\u2026": "\u6b63\u5728\u8fde\u63a5\u2026",
    "Edit": "\u7f16\u8f91",
    "Former member": "\u5df2\u6ce8\u9500\u7528\u6237",
    "Latest messages": "\u6700\u65b0\u6d88\u606f",
    "Leave out %(name)s": "\u79fb\u9664 %(name)s",
    "Live": "\u5df2\u8fde\u63a5",
    "Live, without WebSocket": "\u5df2\u8fde\u63a5\uff08\u672a\u4f7f\u7528 WebSocket\uff09",
    "Loading\u2026": "\u6b63\u5728\u52a0\u8f7d\u2026",
    "Message removed": "\u6d88\u606f\u5df2\u5220\u9664",
    "New since you left": "\u4ee5\u4e0b\u662f\u65b0\u6d88\u606f",
    "Nobody may write in this room any more.": "\u8fd9\u4e2a\u623f\u95f4\u5df2\u505c\u6b62\u53d1\u8a00\u3002",
    "Not accepted: %(why)s": "\u6ca1\u6709\u53d1\u51fa\uff1a%(why)s",
    "Not loaded. Try again": "\u52a0\u8f7d\u5931\u8d25\uff0c\u70b9\u51fb\u91cd\u8bd5",
    "Reconnecting": "\u6b63\u5728\u91cd\u65b0\u8fde\u63a5",
    "Remove this message for everybody?": "\u8981\u4e3a\u6240\u6709\u4eba\u5220\u9664\u8fd9\u6761\u6d88\u606f\u5417\uff1f",
    "Save": "\u4fdd\u5b58",
    "Send": "\u53d1\u9001",
    "Several people are typing\u2026": "\u591a\u4eba\u6b63\u5728\u8f93\u5165\u2026",
    "Slow mode: one message every %(seconds)s second": [
      "\u6162\u901f\u6a21\u5f0f\uff1a\u6bcf %(seconds)s \u79d2\u53ef\u53d1\u4e00\u6761\u6d88\u606f"
    ],
    "That is %(length)s characters. A message has at most %(limit)s.": "\u8fd9\u6761\u6d88\u606f\u6709 %(length)s \u4e2a\u5b57\u7b26\uff0c\u6700\u591a %(limit)s \u4e2a\u3002",
    "The server did not understand this page. Reload it.": "\u670d\u52a1\u5668\u65e0\u6cd5\u7406\u89e3\u8fd9\u4e2a\u9875\u9762\uff0c\u8bf7\u5237\u65b0\u3002",
    "The server has closed this room to you. Reload the page to try again.": "\u670d\u52a1\u5668\u65ad\u5f00\u4e86\u4f60\u4e0e\u8fd9\u4e2a\u623f\u95f4\u7684\u8fde\u63a5\u3002\u8bf7\u5237\u65b0\u9875\u9762\u91cd\u8bd5\u3002",
    "There is no such room.": "\u6ca1\u6709\u8fd9\u4e2a\u623f\u95f4\u3002",
    "This could not be done just now: try again.": "\u6682\u65f6\u65e0\u6cd5\u5b8c\u6210\uff0c\u8bf7\u91cd\u8bd5\u3002",
    "This text has a character that cannot be stored.": "\u5185\u5bb9\u4e2d\u6709\u65e0\u6cd5\u4fdd\u5b58\u7684\u5b57\u7b26\u3002",
    "This was not taken (%(status)s).": "\u6ca1\u6709\u4e0a\u4f20\u6210\u529f\uff08%(status)s\uff09\u3002",
    "Write something first.": "\u8bf7\u5148\u5199\u70b9\u4ec0\u4e48\u3002",
    "Write to %(name)s": "\u79c1\u804a %(name)s",
    "You are %(name)s here now, so the page has started over. What somebody else has left unsent waits for them.": "\u4f60\u73b0\u5728\u7684\u8eab\u4efd\u662f %(name)s\uff0c\u9875\u9762\u5df2\u91cd\u65b0\u52a0\u8f7d\u3002\u5176\u4ed6\u4eba\u6ca1\u6709\u53d1\u51fa\u7684\u5185\u5bb9\u4f1a\u4e3a\u4ed6\u4eec\u4fdd\u7559\u3002",
    "You are not logged in here any more. Log in to talk, or reload the page.": "\u4f60\u5df2\u9000\u51fa\u767b\u5f55\u3002\u8bf7\u767b\u5f55\u540e\u518d\u804a\uff0c\u6216\u5237\u65b0\u9875\u9762\u3002",
    "You are offline. Reconnecting when there is a network": "\u7f51\u7edc\u5df2\u65ad\u5f00\uff0c\u6062\u590d\u540e\u4f1a\u81ea\u52a8\u91cd\u65b0\u8fde\u63a5",
    "You are somebody else here now. Reload the page.": "\u4f60\u7684\u8eab\u4efd\u5df2\u7ecf\u6539\u53d8\uff0c\u8bf7\u5237\u65b0\u9875\u9762\u3002",
    "You have been disconnected. Reload the page to come back.": "\u8fde\u63a5\u5df2\u65ad\u5f00\uff0c\u5237\u65b0\u9875\u9762\u5373\u53ef\u56de\u6765\u3002",
    "You may not be in this room.": "\u4f60\u65e0\u6743\u8fdb\u5165\u8fd9\u4e2a\u623f\u95f4\u3002",
    "and %(number)s more": [
      "\u53e6\u6709 %(number)s \u4eba"
    ],
    "guest": "\u8bbf\u5ba2",
    "here": "\u4eba\u5728\u7ebf",
    "in %(seconds)s s": "%(seconds)s \u79d2\u540e",
    "not sent yet": "\u5c1a\u672a\u53d1\u51fa",
    "not sent yet: %(why)s": "\u5c1a\u672a\u53d1\u9001\uff1a%(why)s",
    "sending\u2026": "\u6b63\u5728\u53d1\u9001\u2026",
    "were here": "\u4eba\u66fe\u5728\u7ebf",
    "you": "\u4f60"
  };
  for (const key in newcatalog) {
    django.catalog[key] = newcatalog[key];
  }
  if (!django.jsi18n_initialized) {
    django.gettext = function(msgid) {
      const value = django.catalog[msgid];
      if (typeof value === 'undefined') {
        return msgid;
      } else {
        return (typeof value === 'string') ? value : value[0];
      }
    };
    django.ngettext = function(singular, plural, count) {
      const value = django.catalog[singular];
      if (typeof value === 'undefined') {
        return (count == 1) ? singular : plural;
      } else {
        return value.constructor === Array ? value[django.pluralidx(count)] : value;
      }
    };
    django.gettext_noop = function(msgid) { return msgid; };
    django.pgettext = function(context, msgid) {
      let value = django.gettext(context + '\x04' + msgid);
      if (value.includes('\x04')) {
        value = msgid;
      }
      return value;
    };
    django.npgettext = function(context, singular, plural, count) {
      let value = django.ngettext(context + '\x04' + singular, context + '\x04' + plural, count);
      if (value.includes('\x04')) {
        value = django.ngettext(singular, plural, count);
      }
      return value;
    };
    django.interpolate = function(fmt, obj, named) {
      if (named) {
        return fmt.replace(/%\(\w+\)s/g, function(match){return String(obj[match.slice(2,-2)])});
      } else {
        return fmt.replace(/%s/g, function(match){return String(obj.shift())});
      }
    };
    /* formatting library */
    django.formats = {
    "DATETIME_FORMAT": "Y\u5e74n\u6708j\u65e5 H:i",
    "DATETIME_INPUT_FORMATS": [
      "%Y/%m/%d %H:%M",
      "%Y-%m-%d %H:%M",
      "%Y\u5e74%n\u6708%j\u65e5 %H:%M",
      "%Y/%m/%d %H:%M:%S",
      "%Y-%m-%d %H:%M:%S",
      "%Y\u5e74%n\u6708%j\u65e5 %H:%M:%S",
      "%Y/%m/%d %H:%M:%S.%f",
      "%Y-%m-%d %H:%M:%S.%f",
      "%Y\u5e74%n\u6708%j\u65e5 %H:%n:%S.%f",
      "%Y-%m-%d"
    ],
    "DATE_FORMAT": "Y\u5e74n\u6708j\u65e5",
    "DATE_INPUT_FORMATS": [
      "%Y/%m/%d",
      "%Y-%m-%d",
      "%Y\u5e74%n\u6708%j\u65e5"
    ],
    "DECIMAL_SEPARATOR": ".",
    "FIRST_DAY_OF_WEEK": 1,
    "MONTH_DAY_FORMAT": "m\u6708j\u65e5",
    "NUMBER_GROUPING": 4,
    "SHORT_DATETIME_FORMAT": "Y\u5e74n\u6708j\u65e5 H:i",
    "SHORT_DATE_FORMAT": "Y\u5e74n\u6708j\u65e5",
    "THOUSAND_SEPARATOR": "",
    "TIME_FORMAT": "H:i",
    "TIME_INPUT_FORMATS": [
      "%H:%M",
      "%H:%M:%S",
      "%H:%M:%S.%f"
    ],
    "YEAR_MONTH_FORMAT": "Y\u5e74n\u6708"
  };
    django.get_format = function(format_type) {
      const value = django.formats[format_type];
      if (typeof value === 'undefined') {
        return format_type;
      } else {
        return value;
      }
    };
    /* add to global namespace */
    globals.pluralidx = django.pluralidx;
    globals.gettext = django.gettext;
    globals.ngettext = django.ngettext;
    globals.gettext_noop = django.gettext_noop;
    globals.pgettext = django.pgettext;
    globals.npgettext = django.npgettext;
    globals.interpolate = django.interpolate;
    globals.get_format = django.get_format;
    django.jsi18n_initialized = true;
  }
};
