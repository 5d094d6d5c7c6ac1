import { describe, test } from 'vitest'
import { expectSame } from './same-as-node.ts'

const COLLECT =
  'const collect = async (s) => { const all = []; for await (const c of s) all.push(c instanceof Uint8Array ? bytes(c) : c); return all };'

describe('streams', () => {
  test('are read, with the pressure that their queue allows', async () => {
    await expectSame(`let pulls = 0; const seen = []; const s = new ReadableStream({ pull(c) { seen.push(c.desiredSize); c.enqueue(++pulls); if (pulls === 4) c.close() } }, { highWaterMark: 2 })
      await null; await null; const early = pulls; ${COLLECT} return [early, await collect(s), seen, s.locked]`)
    await expectSame(`${COLLECT} return await collect(ReadableStream.from([1, Promise.resolve(2), 3]))`)
    await expectSame(
      `const s = new ReadableStream({ start(c) { c.error(new RangeError('no')) } }); return await s.getReader().read()`,
    )
    await expectSame(
      `const seen = []; const s = new ReadableStream({ cancel(r) { seen.push(r) } }); await s.cancel('why'); return seen`,
    )
    await expectSame(`const s = new ReadableStream(); s.getReader(); return s.getReader()`)
  })

  test('tee, and what is left when one branch is cancelled', async () => {
    await expectSame(
      `${COLLECT} let n = 0; const [a, b] = new ReadableStream({ pull(c) { c.enqueue(n++); if (n === 3) c.close() } }).tee(); const first = await collect(a); return [first, await collect(b)]`,
    )
    await expectSame(
      `${COLLECT} const [a, b] = new ReadableStream({ start(c) { c.enqueue(1); c.close() } }).tee(); a.cancel('x'); return await collect(b)`,
    )
  })

  test('pipes: through transforms, to the end, to an error, until aborted', async () => {
    await expectSame(
      `const got = []; const s = ReadableStream.from(['a', 'b', 'c']); await s.pipeThrough(new TransformStream({ transform(c, t) { t.enqueue(c.toUpperCase()); t.enqueue(c) }, flush(t) { t.enqueue('end') } })).pipeTo(new WritableStream({ write(c) { got.push(c) }, close() { got.push('closed') } })); return got`,
    )
    await expectSame(
      `const got = []; const s = ReadableStream.from([1, 2, 3]); const p = s.pipeTo(new WritableStream({ write(c) { if (c === 2) throw new RangeError('two'); got.push(c) } })); return [await attempt(() => p), got, s.locked]`,
    )
    await expectSame(
      `const c = new AbortController(); const got = []; const s = new ReadableStream({ pull(x) { x.enqueue(1) } }); const p = s.pipeTo(new WritableStream({ write() { got.push(1); if (got.length === 3) c.abort() }, abort(r) { got.push(r.name) } }), { signal: c.signal }); return [await attempt(() => p), got]`,
    )
    await expectSame(
      `const got = []; const w = new WritableStream({ write(c) { got.push(c) }, abort(r) { got.push(['aborted', r]) } }); await ReadableStream.from([1]).pipeTo(w, { preventClose: true }); const writer = w.getWriter(); await writer.write(2); await writer.abort('enough'); return got`,
    )
  })

  test('writers feel back-pressure', async () => {
    await expectSame(
      `const seen = []; const w = new WritableStream({ write(c) { seen.push(c); return Promise.resolve() } }, new CountQueuingStrategy({ highWaterMark: 2 })); const x = w.getWriter(); const sizes = [x.desiredSize]; const writes = [x.write(1), x.write(2), x.write(3)]; sizes.push(x.desiredSize); await Promise.all(writes); await x.ready; sizes.push(x.desiredSize); await x.close(); return [seen, sizes, await attempt(() => x.write(4))]`,
    )
    await expectSame(
      `const s = new ByteLengthQueuingStrategy({ highWaterMark: 5 }); return [s.highWaterMark, s.size(new Uint8Array(3)), new CountQueuingStrategy({ highWaterMark: 1 }).size('xyz')]`,
    )
  })

  test('of bytes, into buffers that the reader brings', async () => {
    await expectSame(
      `const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2, 3, 4, 5])); c.close() } }); const r = s.getReader({ mode: 'byob' }); const out = []; for (;;) { const { done, value } = await r.read(new Uint8Array(2)); out.push([done, value ? bytes(value) : null]); if (done) break } return out`,
    )
    await expectSame(
      `let n = 0; const s = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 4, pull(c) { const v = c.byobRequest.view; v[0] = ++n; c.byobRequest.respond(1); if (n === 3) c.close() } }); ${COLLECT} return await collect(s)`,
    )
    await expectSame(`return new ReadableStream({ type: 'odd' })`)
  })

  test('of texts', async () => {
    await expectSame(
      `${COLLECT} return await collect(ReadableStream.from(['a', '\\ud83d', '\\udca9', 'é', '', '\\ud800']).pipeThrough(new TextEncoderStream()))`,
    )
    await expectSame(
      `${COLLECT} const b = new TextEncoder().encode('aé💩z'); return (await collect(ReadableStream.from(Array.from(b, (x) => new Uint8Array([x]))).pipeThrough(new TextDecoderStream()))).join('|')`,
    )
    await expectSame(
      `${COLLECT} return await collect(ReadableStream.from([new Uint8Array([0xff])]).pipeThrough(new TextDecoderStream('utf-8', { fatal: true })))`,
    )
    await expectSame(
      `const d = new TextDecoderStream('UTF8', { ignoreBOM: true }); return [d.encoding, d.fatal, d.ignoreBOM, new TextEncoderStream().encoding]`,
    )
  })
})
