import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkProperty } from '../scripts/test/seed.ts'
import { expectSame, inGuest } from './same-as-node.ts'

const PARTS = `const parts = (u) => ['href','origin','protocol','username','password','host','hostname','port','pathname','search','hash'].map((k) => u[k]);`
const PARSE = `${PARTS} const [input, base] = x; return base === null ? parts(new URL(input)) : parts(new URL(input, base))`

/** Texts that stand apart by ` ¦ ` or at the ends of lines; those with spaces at an end, and the empty one, are elsewhere. */
const listed = (text: string): string[] => text.trim().split(/ ¦ |\n/)

const ABSOLUTE = String.raw`
http://example.com HTTP://EXAMPLE.com:80/ http://example.com:8080/a/b?c=d#e https://user:pass@host:443/p https://user@host
https://:pass@host http://a:b@c:d/ http://host:99999/ http://host:0/ http://host:/ http://host:00080/ http:///a http:a http:/a
http:\\a\b http://a\b?c\d#e\f http://a/b/../c http://a/b/./c http://a/../../b http://a/%2e%2E/b http://a/.%2e/b http://a/b/%2e
http://a/b/.. http://a/b/. http://a//b//c http://a/?q=' http://a/?q="<>\ http://a/#"<>`
  .split(/\s+/)
  .filter((text) => text !== '')

const HOSTS = listed(`
1.2.3.4 ¦ 0x7f.1 ¦ 127.1 ¦ 0177.0.0.1 ¦ 256.1.1.1 ¦ 1.2.3.256 ¦ 4294967295 ¦ 4294967296 ¦ 0x ¦ 0x.0x.0 ¦ 1.2.3.4.
1.2.3.4.5 ¦ 08.1 ¦ 09 ¦ 1.2.3.08 ¦ foo.0x4 ¦ foo.09 ¦ 1e2 ¦ .. ¦ . ¦ a..b ¦ a. ¦ .a ¦ 0 ¦ 00 ¦ 0xffffffff
1.0xffffff ¦ [::] ¦ [::1] ¦ [1::] ¦ [1:2:3:4:5:6:7:8] ¦ [1:2:3:4:5:6:7::] ¦ [::1.2.3.4] ¦ [1:2::1.2.3.4]
[::1.2.3] ¦ [::01.2.3.4] ¦ [1:2:3:4:5:6:1.2.3.4] ¦ [1:2:3:4:5:6:7:1.2.3.4] ¦ [1::2::3] ¦ [12345::] ¦ [:1] ¦ [1:]
[::g] ¦ [::1 ¦ ::1] ¦ [] ¦ [1:0:0:2:0:0:0:3] ¦ [0:0:1:0:0:0:0:0] ¦ [ffff:ABCD::] ¦ [::FFFF:127.0.0.1]
[1:2:3:4:5:6:7] ¦ [1.2.3.4::] ¦ [::1%25eth0] ¦ ex%41mple.com ¦ ex%00a ¦ a b ¦ a%20b ¦ a<b ¦ a^b ¦ a|b ¦ a%7fb ¦ a_b
a-b ¦ -a- ¦ a% ¦ a%zz ¦ a%2f ¦ a%3a ¦ a*b ¦ a!b ¦ a'b ¦ a(b) ¦ a;b ¦ a=b ¦ a+b ¦ a$b ¦ a,b ¦ a~b ¦ a{b ¦ a"b
a\`b ¦ münchen.de ¦ MÜNCHEN.de ¦ faß.de ¦ βόλος.com ¦ 日本語.jp ¦ 例え。テスト ¦ xn--mnchen-3ya.de ¦ XN--MNCHEN-3YA.de
xn-- ¦ xn--a ¦ xn--zn7c.com ¦ ﬁ.com ¦ Ａ.com ¦ a\u00adb.com ¦ \u00ad ¦ a\u200bb ¦ 💩.la ¦ x\u0301.com ¦ ünï.com
www.ünï.com ¦ 1．2 ¦ １.2.3.4 ¦ K.com ¦ İ.com ¦ Ⅳ.com ¦ ①.com ¦ a\ufe0fb ¦ xn--fa-hia.de ¦ xn--nxasmm1c.com
xn--4gbwdl.xn--wgbh1c ¦ xn--é ¦ XN--💩 ¦ xn--.é ¦ xn--a.é ¦ xn--mnchen-3ya.é ¦ xn--fa-hia.é ¦ xn--ls8h.💩 ¦ xn--99999999.é ¦ xn--a-.é
`)

const OTHERS = listed(`
mailto:a@b.c ¦ data:text/plain,hi there ¦ data: a  ¦ data:a b ?q ¦ data:a b #f ¦ data:a b   ¦ javascript:alert(1)
urn:isbn:1 ¦ blob:https://a.b/c ¦ blob:a ¦ about:blank ¦ about:blank?q#f ¦ foo://host/path ¦ foo://Host/Path
foo://user:pw@h:1/p ¦ foo:/a/b ¦ foo:a/b ¦ foo: ¦ foo:// ¦ foo:///a ¦ foo:////a ¦ foo:/..//a ¦ foo:/.//a
foo://h?q ¦ foo://h#f ¦ foo://h/.. ¦ foo://a b ¦ foo://a%20b ¦ foo://[::1] ¦ foo://1.2.3 ¦ foo://:80 ¦ foo://h:80
foo://é ¦ foo://h/é?é#é ¦ foo:\\\\a ¦ foo://h/?' ¦ foo://u@ ¦ foo://h:a ¦ ws://a:80 ¦ wss://a:443/ ¦ ws://a/b
ftp://a:21/b ¦ ftp://a:22 ¦ wss:a ¦ file:///a/b ¦ file://host/a ¦ file://localhost/a ¦ file:/a ¦ file:a ¦ file:
file:// ¦ file:/// ¦ file:///C:/a ¦ file:///C|/a ¦ file:C:/a/.. ¦ file:///C:/.. ¦ file:///C:/../.. ¦ file://C:/a
file://C| ¦ file:///a/../.. ¦ file:\\\\h\\a ¦ file:////a ¦ file:///?q ¦ file:#f ¦ file://h:80/ ¦ file://[::1]/a
file:/C ¦ file:///c: ¦ file:///c:?q ¦  ¦   ¦ a ¦ /a ¦ //a ¦ ?q ¦ #f ¦ : ¦ a: ¦ 1a:b ¦ +a:b ¦ a+b-c.1:d ¦ http
http: ¦ http:// ¦ https://?q ¦ http://#f ¦ http://@ ¦ http://@a ¦ http://:@a ¦ http://a@ ¦ http://a:b@
http://a@b@c ¦ http://a:b:c@d ¦ http://a%40b@c ¦ http://a@b/c@d ¦ http://:80 ¦ http://a:b ¦ http://a:8 0
http://a:80:80 ¦ http://a:-1 ¦ http://a:65535 ¦ http://a:65536 ¦  http://a  ¦ \0http://a\u001f ¦ ht\ntp://a\t/b\r
http://a/b\nc?d\te#f\rg ¦ http://a/ b ?c d#e f ¦ http://a/%zz% ¦ http://a/é/日/💩 ¦ http://a/\ud800
http://a/?\ud800#\udfff ¦ http://a/?é&€ ¦ http://a/^\`{}|<>"[] ¦ http://a/?^\`{}|<>"[]' ¦ http://a/#^\`{}|<>"[]'
http://a^b@c ¦ http://a/\u007f\u0080 ¦ http://a/%7e%7E~ ¦ http://a/!$&'()*+,;=:@
`)

const BASES = listed(`
http://u:p@h:1/a/b/c?q#f ¦ https://h ¦ file:///C:/a/b ¦ file://host/a/b ¦ foo://h/a/b?q ¦ foo:/a/b ¦ mailto:a@b
about:blank ¦ x ¦ foo://h
`)
const REFERENCES = listed(`
d ¦ ./d ¦ ../d ¦ ../../../d ¦ /d ¦ //d/e ¦ // ¦ ///d ¦ \\d ¦ \\\\d ¦ /\\d ¦ ?x ¦ #y ¦ ?x#y ¦ http:d ¦ http:/d
http://d ¦ https:d ¦ file:d ¦ file:/d ¦ foo:d ¦ C:/d ¦ C|/d ¦ /C:/d ¦ C: ¦ d:e ¦ . ¦ .. ¦ ./ ¦ ../ ¦ d/.. ¦ d/.
d/./e ¦ ..\\d ¦ %2e%2e/d ¦  d  ¦ d? ¦ d# ¦ : ¦ //u@x/ ¦ //x:y
`)

describe('URL', () => {
  const absolute = [...ABSOLUTE, ...OTHERS, ...HOSTS.flatMap((host) => [`http://${host}/`, `http://u@${host}:81`])]

  test(`parses ${absolute.length} texts as Node does`, async () => {
    await expectSame(
      PARSE,
      absolute.map((input) => [input, null]),
    )
  })

  test('resolves references against bases', async () => {
    await expectSame(
      PARSE,
      BASES.flatMap((base) => REFERENCES.map((input) => [input, base])),
    )
  })

  test('a member at a time can be set', async () => {
    const urls = [
      'http://u:p@h:81/a?q#f',
      'https://h',
      'file:///a',
      'foo://h/a',
      'foo:/a',
      'mailto:a b ?q#f',
      'file://h/C:/a',
    ]
    const values = [
      '',
      'x',
      'x y',
      '?',
      '#',
      '/',
      '\\',
      ':',
      'a:b',
      '82',
      '82x',
      'x82',
      '443',
      '70000',
      'http',
      'https:',
      'ftp',
      'file',
      'foo',
      'h2:83',
      'h2/p',
      '[::1]',
      '[::1]:84',
      '1.2',
      'é',
      '%41',
      '@',
      'a\nb',
      '?x',
      '#x',
      '/x/../y',
      '//x',
      'localhost',
      'C|/x',
      ' ',
      'a@b',
      ':85',
      'h2:',
      '.',
      "'",
    ]
    const members = [
      'href',
      'protocol',
      'username',
      'password',
      'host',
      'hostname',
      'port',
      'pathname',
      'search',
      'hash',
    ]
    const set = `${PARTS} const [input, member, values] = x; return values.map((v) => { const u = new URL(input); try { u[member] = v } catch (e) { return e.name } return parts(u) })`
    await expectSame(
      set,
      urls.flatMap((url) => members.map((member) => [url, member, values])),
    )
  })

  test('any text', async () => {
    const piece = fc.constantFrom(
      ...'http: https: file: foo: / // \\ a b.c [::1] 1.2.3.4 : 80 ? # @ % %2e .. . é 💩 xn-- = & + | ^ \t'.split(' '),
      ' ',
      '',
    )
    const inputs = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''))
    const guest = inGuest(`${PARTS} try { return parts(new URL(x)) } catch (e) { return null }`)
    const here = (x: string) => {
      const u = URL.parse(x)
      return (
        u && [
          u.href,
          u.origin,
          u.protocol,
          u.username,
          u.password,
          u.host,
          u.hostname,
          u.port,
          u.pathname,
          u.search,
          u.hash,
        ]
      )
    }
    await checkProperty(
      'urls',
      fc.property(inputs, (x) => void expect(guest(x)).toEqual(JSON.stringify(here(x)))),
      { runs: 400 },
    )
  })

  test('statics, errors and strings', async () => {
    await expectSame(
      `return [URL.canParse('a:b'), URL.canParse('x'), URL.canParse('x', 'http://a'), URL.parse('x'), URL.parse('/x', 'http://a').href, '' + new URL('http://a'), JSON.stringify(new URL('http://a')), Object.prototype.toString.call(new URL('a:'))]`,
    )
    await expectSame(`try { new URL('x') } catch (e) { return [e instanceof TypeError, e.message, e.code, e.input] }`)
    await expectSame('return new URL()')
    await expectSame('return URL("http://a")')
    await expectSame('return Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({})')
  })
})

describe('URLSearchParams', () => {
  test('reads and writes what forms do', async () => {
    const texts = [
      '',
      '?',
      'a',
      'a=b',
      '?a=b',
      '??a',
      'a=b&c=d',
      'a&a=1&a=2',
      '&&',
      '=',
      '=b',
      'a==b',
      'a=b=c',
      'a+b=c+d',
      '%41=%42',
      '%zz=%',
      'é=€',
      '%e9',
      '%c3%a9',
      'a%26=b%3D',
      '💩',
      "!'()*-._~",
      'a\0b',
      '\ud800',
      'a=b;c=d',
      ' a = b ',
    ]
    await expectSame(
      `const p = new URLSearchParams(x); return [[...p], p.size, '' + p, p.get('a'), p.getAll('a'), p.has('a'), p.has('a', '1')]`,
      texts,
    )
  })

  test('of records, pairs and others', async () => {
    for (const init of [
      '{ a: 1, b: [2, 3] }',
      '[["a", 1], ["b", 2]]',
      'new Map([["x", "y"]])',
      '[["a"]]',
      '["ab"]',
      '[1]',
      '{ [Symbol.iterator]: 1 }',
      'null',
      'undefined',
      '12',
      'new URLSearchParams("q=1")',
      'function () {}',
      '[["a", "b", "c"]]',
    ])
      await expectSame(`return [...new URLSearchParams(${init})]`)
  })

  test('changes its URL, and follows it', async () => {
    await expectSame(`const u = new URL('http://h/?a=1&b=2'); const p = u.searchParams; const seen = [u.href]
      p.append('c', 'é '); seen.push(u.href); p.delete('a'); seen.push(u.href); p.set('b', '3'); seen.push(u.href)
      u.search = '?z=9&y=8'; seen.push([...p]); p.sort(); seen.push(u.href); p.delete('y', '7'); p.delete('y', '8'); seen.push(u.href)
      p.delete('z'); seen.push(u.href, u.searchParams === p); u.href = 'http://i/?n=1'; seen.push('' + p); return seen`)
  })

  test('is iterated while it changes', async () => {
    await expectSame(
      `const p = new URLSearchParams('a=1&b=2&c=3'); const seen = []; for (const [k] of p) { seen.push(k); if (k === 'a') p.delete('b'); if (seen.length < 5) p.append('n' + seen.length, '') } return [seen, [...p.keys()], [...p.values()]]`,
    )
    await expectSame(
      `const seen = []; new URLSearchParams('a=1&b=2').forEach(function (v, k, all) { seen.push([v, k, this.t, all.size]) }, { t: 5 }); return seen`,
    )
    await expectSame('return new URLSearchParams("a=1").append("b")')
    await expectSame(
      'return [URLSearchParams.prototype.entries === URLSearchParams.prototype[Symbol.iterator], "" + Object.prototype.toString.call(new URLSearchParams())]',
    )
  })
})
