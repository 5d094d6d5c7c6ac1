/** What each program is given, and what comes of it. */
import type { Value } from '../../protocol/values.ts'

export const CASES: Record<string, { input: Value; expected: Value }> = {
  acorn: {
    input: 'const a = 1\nfunction f() { let b = [a]; for (const c of [b]) c?.d }\n',
    expected: ['a at 1:6', 'f at 2:9', 'b at 2:19', 'c at 2:39'],
  },
  ajv: {
    input: [{ name: 'a', port: 80, tags: ['x', 'y'] }, { name: '', port: 70000, tags: ['x', 'x'], extra: 1 }, {}],
    expected: [
      'valid',
      [
        ' must NOT have additional properties',
        '/name must NOT have fewer than 1 characters',
        '/port must be <= 65535',
        '/tags must NOT have duplicate items (items ## 1 and 0 are identical)',
      ],
      [" must have required property 'name'", " must have required property 'port'"],
    ],
  },
  cheerio: {
    input:
      '<title>Shop</title><ul><li class=item data-price=3><b>Tea &amp; cup</b><a href=/t>x</a></li><li class="item sold"><b>Gone</b></li><li class=item data-price="4.5"><b>Pot</b></li></ul>',
    expected: {
      found: [
        { name: 'Tea & cup', price: 3, link: '/t' },
        { name: 'Pot', price: 4.5, link: null },
      ],
      title: 'Shop',
      html: '<ul data-count="2" class="offers"><li class="item" data-price="3"><b>Tea &amp; cup</b><a href="/t">x</a></li><li class="item" data-price="4.5"><b>Pot</b></li></ul>',
    },
  },
  'date-fns': {
    input: { from: '2024-01-31', months: 13 },
    expected: {
      end: '2025-02-28',
      weekday: 'Freitag, 28. Februar',
      weekend: false,
      days: 394,
      weeks: 57,
      words: 'about 1 year',
    },
  },
  dayjs: {
    input: { first: '2024-12-24', every: 7, times: 3 },
    expected: ['Tue 24 Dec 2024, week 52', 'Tue 31 Dec 2024, week 1, month ends', 'Tue 7 Jan 2025, week 2'],
  },
  decimal: {
    input: { amount: '1234.56', rate: '0.0325', years: 30 },
    expected: {
      exact: '3222.656459574425110598275854249162632997',
      cents: '3222.66',
      e: '2.718281828459045235360287471352662497757',
      sum: true,
    },
  },
  fflate: {
    input: { 'a.txt': 'hello '.repeat(100), 'b/ü.txt': 'grün' },
    expected: { size: 220, read: { 'a.txt': 'hello '.repeat(100), 'b/ü.txt': 'grün' } },
  },
  fuse: {
    input: {
      books: [
        { title: 'The Lighthouse', author: 'Woolf' },
        { title: 'Ulysses', author: 'Joyce' },
        { title: 'Light in August', author: 'Faulkner' },
      ],
      words: ['lighthous', 'joice', 'xyzzy'],
    },
    expected: [['The Lighthouse 0.219'], ['Ulysses 0.585'], []],
  },
  handlebars: {
    input: [
      {
        name: 'Ada',
        lines: [
          { count: 2, name: 'tea' },
          { count: 1, name: 'pot' },
        ],
        note: '<3',
      },
      { name: 'Bob', lines: [] },
    ],
    expected: ['Dear ADA,\n2 × tea, 1 × pot.\n&lt;3', 'Dear BOB,\nnothing.\n'],
  },
  immer: {
    input: {
      tasks: [
        { title: 'a', done: false },
        { title: 'b', done: false },
      ],
      title: 'b',
    },
    expected: {
      next: {
        tasks: [
          { title: 'a', done: false },
          { title: 'b', done: true },
          { title: 'after b', done: false },
        ],
        finished: 1,
      },
      patches: [
        { op: 'replace', path: ['tasks', 1, 'done'], value: true },
        { op: 'add', path: ['tasks', 2], value: { title: 'after b', done: false } },
        { op: 'replace', path: ['finished'], value: 1 },
      ],
      inverse: [
        { op: 'replace', path: ['tasks', 1, 'done'], value: false },
        { op: 'remove', path: ['tasks', 2] },
        { op: 'replace', path: ['finished'], value: 0 },
      ],
      shared: true,
      frozen: true,
    },
  },
  'js-yaml': {
    input: 'b: [1, 2.5, ~, yes]\na: |\n  two\n  lines\nd: 2024-01-01T00:00:00Z\n',
    expected: "a: |\n  two\n  lines\nb:\n  - 1\n  - 2.5\n  - null\n  - 'yes'\nd: '2024-01-01T00:00:00Z'\n",
  },
  jsonata: {
    input: {
      data: {
        items: [
          { name: 'a', price: 2, n: 3 },
          { name: 'b', price: 5, n: 1 },
        ],
      },
      query:
        '{ "total": $sum(items.(price * n)), "names": items[price > 3].name, "up": $map(items.name, function($x) { $uppercase($x) }) }',
    },
    expected: { total: 11, names: 'b', up: ['A', 'B'] },
  },
  'lodash-es': {
    input: [
      { region: 'north west', amount: 3 },
      { region: 'South-East', amount: 4 },
      { region: 'north west', amount: 5 },
      { region: 'mid', amount: 4 },
    ],
    expected: {
      pages: [
        [
          { region: 'northWest', total: 8 },
          { region: 'mid', total: 4 },
        ],
        [{ region: 'southEast', total: 4 }],
      ],
      merged: { a: { b: 1, c: [3, 2], d: 4 } },
      same: true,
    },
  },
  'lru-cache': {
    input: { n: 60, max: 200 },
    expected: { partitions: 966467, size: 200, evicted: true },
  },
  'markdown-it': {
    input: '"Quoted" -- see www.example.com...\n\n- a\n  - b\n',
    expected: '<p>“Quoted” – see www.example.com…</p>\n<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n',
  },
  marked: {
    input: '# A *b*\n\n| x | y |\n| - | -: |\n| `1` | 2 |\n\n1. one\n2. <two>\n',
    expected:
      '<h1>A <em>b</em></h1>\n<table>\n<thead>\n<tr>\n<th>x</th>\n<th align="right">y</th>\n</tr>\n</thead>\n<tbody><tr>\n<td><code>1</code></td>\n<td align="right">2</td>\n</tr>\n</tbody></table>\n<ol>\n<li>one</li>\n<li><two></li>\n</ol>\n',
  },
  mathjs: {
    input: { expression: 'sqrt(x^2 + y^2) + det([1, 2; 3, 4])', scope: { x: 3, y: 4 } },
    expected: {
      value: '3',
      derivative: '3 * x ^ 2 + 2',
      inverse: '[[0.6, -0.7], [-0.2, 0.4]]',
      unit: '25 m / s',
      solved: '[[1], [3]]',
      third: '0.3333333333333333333333333333333333333333333333333333333333333333',
    },
  },
  multiformats: {
    input: 'hello',
    expected: {
      cid: 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq',
      base58: 'zb2rhZfjRh2FHHB2RkHVEvL2vJnCTcu7kwRqgVsf9gpkLgteo',
      same: true,
    },
  },
  mustache: {
    input: [{ name: 'Ada', skills: ['maths', 'verse'], raw: '<b>' }, { name: 'Bob' }],
    expected: 'Ada: maths verse <b>&lt;b&gt;\nBob: none \n',
  },
  nanoid: {
    input: 50,
    expected: { distinct: 50, formed: true, digits: true, counted: 'aefebbab' },
  },
  'noble-hashes': {
    input: 'abc',
    expected: {
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      sha512: 'ddaf35a193617abacc417349ae204131',
      keccak: '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45',
      blake3: '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
      mac: '9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab',
      key: 'fd8d0a4277d05b4c6d2045d1ec8330ef',
    },
  },
  pako: {
    input: 'wayside '.repeat(500),
    expected: { smaller: true, same: true, magic: [31, 139, 8], raw: 4000 },
  },
  papaparse: {
    input: 'name,age,ok\n"Ada, Countess",36,true\n\nBob,x,false\nEve,1\n',
    expected: {
      data: [
        { name: 'Ada, Countess', age: 36, ok: true },
        { name: 'Bob', age: 'x', ok: false },
        { name: 'Eve', age: 1 },
      ],
      errors: ['TooFewFields in row 2'],
      delimiter: ',',
      out: 'name;age;ok\nAda, Countess;36;true\nBob;x;false\nEve;1;',
    },
  },
  qs: {
    input: '?a[b][c]=1&list[]=x&list[]=y&e=%C3%A9&empty=',
    expected: {
      parsed: { a: { b: { c: '1' } }, list: ['x', 'y'], e: 'é', empty: '' },
      text: 'a[b][c]=1&list[]=x&list[]=y&e=é&empty=',
    },
  },
  ramda: {
    input: [
      { team: 'a', points: 3 },
      { team: 'b', points: 1 },
      { team: 'a', points: 0 },
      { team: 'c', points: 3 },
    ],
    expected: {
      table: [
        { team: 'a', points: 3 },
        { team: 'c', points: 3 },
        { team: 'b', points: 1 },
      ],
      median: 2,
      path: { a: { b: 1 } },
    },
  },
  rxjs: {
    input: [1, 2, 3, 4, 5],
    expected: {
      sums: [1, 3, 6, 10, 15],
      pairs: [
        [1, 20],
        [2, 40],
      ],
      merged: [[20, 40], [-1]],
      total: 55,
    },
  },
  seedrandom: {
    input: { seed: 'wayside', times: 10 },
    expected: { dice: [1, 1, 2, 2, 4, 6, 5, 1, 5, 2], exact: 0.7018952834648752 },
  },
  semver: {
    input: {
      versions: ['1.2.3', '1.10.0', '2.0.0-rc.1', '2.0.0', '0.9.9'],
      ranges: ['^1.2', '>=2.0.0-0 <2.0.0', '~0.9 || 3', '9'],
    },
    expected: {
      newest: ['1.10.0', '2.0.0-rc.1', '0.9.9', null],
      sorted: ['2.0.0', '2.0.0-rc.1', '1.10.0', '1.2.3', '0.9.9'],
      next: '1.3.0-beta.0',
      coerced: '2.0.0',
    },
  },
  uuid: {
    input: ['example.org', 'wayside'],
    expected: {
      named: ['aad03681-8b63-5304-89e0-8ca8f49461b5', 'a56bef27-3ff0-58f6-8536-fdff880cbb9f'],
      random: [4, true, true],
      ordered: true,
      round: '109156be-c4fb-41ea-b1b4-efe1671c5836',
      nil: true,
    },
  },
  valibot: {
    input: [
      { name: ' Ada ', age: '36' },
      { name: ' ', age: '3.5', colour: 'blue' },
    ],
    expected: [
      { name: 'Ada', age: 36, colour: 'red' },
      {
        name: ['give a name'],
        age: ['a whole number', 'grown-ups only'],
        colour: ['Invalid type: Expected ("red" | "green") but received "blue"'],
      },
    ],
  },
  validator: {
    input: [
      'ada@example.org',
      'https://example.org/x?y',
      'DE89370400440532013000',
      '4111111111111111',
      '::1',
      '2024-02-30',
      'plain',
    ],
    expected: {
      kinds: [['email', 'url'], ['url'], ['iban'], ['card'], ['ip'], [], []],
      safe: '&lt;a href=&quot;x&quot;&gt;&amp;&lt;&#x2F;a&gt;',
    },
  },
  yaml: {
    input: {
      text: '# top\nserver:\n  port: 80 # http\n  names: [a, &x b, *x]\n',
      path: ['server', 'port'],
      value: 8080,
    },
    expected: {
      text: '# top\nserver:\n  port: 8080 # http\n  names: [ a, &x b, *x ]\n',
      data: { server: { port: 80, names: ['a', 'b', 'b'] } },
      short: 'list:\n  - 1\n  - two: "x: y"\n',
    },
  },
  zod: {
    input: [
      {
        id: '109156be-c4fb-41ea-b1b4-efe1671c5836',
        email: 'ada@example.org',
        lines: [{ sku: 'ABC-1', count: 2 }],
        note: ' soon ',
      },
      { id: 'x', email: 'ada', lines: [{ sku: 'abc', count: 0.5 }] },
    ],
    expected: [
      {
        id: '109156be-c4fb-41ea-b1b4-efe1671c5836',
        email: 'ada@example.org',
        lines: [{ sku: 'ABC-1', count: 2 }],
        note: 'soon',
      },
      ['id: invalid_format', 'email: invalid_format', 'lines.0.sku: invalid_format', 'lines.0.count: invalid_type'],
    ],
  },
}
