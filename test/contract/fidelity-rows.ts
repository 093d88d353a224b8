/** Data that a lossy path would change, as a name and the text that is sent. */
export const KEPT: [string, string][] = [
  ["an integer that no double holds", "9007199254740993"],
  ["an integer of fifty digits", "12345678901234567890123456789012345678901234567890"],
  ["a number beyond every double", "1e400"],
  ["a number below every double", "-1E-400"],
  ["minus zero", "-0"],
  ["minus zero with a fraction", "-0.0"],
  ["a trailing zero", "1.10"],
  ["exponents in every spelling", "[1e5,1E5,1e+5,1.0e-05]"],
  ["a repeated member", '{"a":1,"a":2,"b":3,"a":4}'],
  ["a member named __proto__", '{"__proto__":{"admin":true},"constructor":1,"toString":null}'],
  ["members in no order", '{"b":1,"a":2,"10":3,"9":4,"":5}'],
  ["white space inside", '{ "a" :\t[ 1 ,  2 ]  , "b" : { } }'],
  ["an escaped null", '"a\\u0000b"'],
  ["needless escapes", '"\\u0041\\/\\u00e9\\u00E9"'],
  ["characters that need no escape", '"/é\u2028\u2029\u007f"'],
  ["an astral character, written and escaped", '"😀\\ud83d\\ude00"'],
  ["composed and decomposed letters", '["\u00e9","e\u0301","\u212b","\u00c5"]'],
  ["non-characters", '"\uffff\ufffe\ufffd\ufeff"'],
  ["a string of control escapes", '"\\b\\f\\n\\r\\t\\\\\\""'],
  ["an empty string", '""'],
  ["an empty array", "[]"],
  ["an empty object", "{}"],
  ["false", "false"],
  ["a tombstone", "null"],
  ["nesting of 64", `${"[".repeat(64)}${"]".repeat(64)}`],
  ["brackets in a string", `"${"[{".repeat(100)}"`],
  ["something that looks like an event", '{"events":[{"key":"x","data":1}],"cursor":"y"}'],
  ["HTML", '"<script>alert(1)</script>&amp;"'],
];

/** Data that cannot be stored, as a name and the text that is sent. */
export const REFUSED: [string, string][] = [
  ["a lone high surrogate, escaped", '"\\ud800"'],
  ["a lone low surrogate, escaped", '"\\uDFFF!"'],
  ["surrogates in the wrong order", '"\\ude00\\ud83d"'],
  ["a high surrogate before another pair", '"\\ud83d\\ud83d\\ude00"'],
  ["a lone surrogate in a name", '{"\\ud800":1}'],
  ["a lone surrogate deep inside", '[{"a":["\\udc00"]}]'],
  ["nesting of 65", `${"[".repeat(65)}${"]".repeat(65)}`],
  ["nesting of 20,000", `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`],
];

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

/** Bodies that are not JSON in UTF-8. */
export const MALFORMED: [string, Uint8Array][] = [
  ["a byte that UTF-8 never has", bytes('{"key":"k","data":"', [0xff], '"}')],
  ["a cut-off character", bytes('{"key":"k","data":"', [0xe2, 0x82], '"}')],
  ["an overlong character", bytes('{"key":"k","data":"', [0xc0, 0xaf], '"}')],
  ["an encoded surrogate", bytes('{"key":"k","data":"', [0xed, 0xa0, 0x80], '"}')],
  ["bad UTF-8 in the key", bytes('{"key":"', [0xff], '","data":1}')],
  ["a byte order mark", bytes([0xef, 0xbb, 0xbf], '{"key":"k","data":1}')],
  ["UTF-16", Buffer.from('\ufeff{"key":"k","data":1}', "utf16le")],
  ["a raw control character", bytes('{"key":"k","data":"', [0x01], '"}')],
];
