import { describe, expect, test } from 'vitest'
import { perform, returned } from './fixture.ts'
import { expectSame } from './same-as-node.ts'

describe('EventTarget', () => {
  test('calls its listeners as Node’s does', async () => {
    await expectSame(`const t = new EventTarget(); const seen = []
      const f = (e) => seen.push(['f', e.type, e.target === t, e.currentTarget === t, e.eventPhase, e.defaultPrevented, e.cancelable])
      t.addEventListener('a', f); t.addEventListener('a', f); t.addEventListener('a', null)
      t.addEventListener('a', { handleEvent(e) { seen.push(['object', this !== undefined, e.type]) } })
      t.addEventListener('a', (e) => { e.preventDefault(); seen.push('prevented') }, { passive: true })
      const first = t.dispatchEvent(new Event('a', { cancelable: true }))
      t.removeEventListener('a', f)
      t.addEventListener('a', (e) => { e.preventDefault(); e.stopImmediatePropagation() })
      t.addEventListener('a', () => seen.push('never'))
      const second = t.dispatchEvent(new Event('a', { cancelable: true }))
      return [first, second, t.dispatchEvent(new Event('b')), seen]`)
  })

  test('listeners that come and go while an event is dispatched', async () => {
    // As the standard has it; Node calls the late one at once.
    const module = `export default () => { const t = new EventTarget(); const seen = []
      const late = () => seen.push('late'); const gone = () => seen.push('gone')
      t.addEventListener('a', () => { seen.push(1); t.addEventListener('a', late); t.removeEventListener('a', gone) })
      t.addEventListener('a', gone); t.addEventListener('a', () => seen.push('capture'), true); t.addEventListener('a', () => seen.push('once'), { once: true })
      t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); return seen }`
    expect(returned(module)).toEqual(['capture', 1, 'once', 'capture', 1, 'late'])
    const again = `export default () => { const t = new EventTarget(); const e = new Event('a'); let name
      t.addEventListener('a', () => { try { t.dispatchEvent(e) } catch (x) { name = x.name } }); t.dispatchEvent(e)
      return [name, e.eventPhase, e.currentTarget, e.target === t] }`
    expect(returned(again)).toEqual(['InvalidStateError', 0, null, true])
  })

  test('a signal removes a listener', async () => {
    await expectSame(`const t = new EventTarget(); const c = new AbortController(); let n = 0
      t.addEventListener('a', () => n++, { signal: c.signal }); t.dispatchEvent(new Event('a')); c.abort(); t.dispatchEvent(new Event('a'))
      t.addEventListener('a', () => n++, { signal: c.signal }); t.dispatchEvent(new Event('a')); return n`)
  })

  test('what is wrong is refused', async () => {
    const wrong = [
      'new Event()',
      'Event("a")',
      'new EventTarget().dispatchEvent({})',
      'new EventTarget().addEventListener("a")',
      'new EventTarget().addEventListener("a", 1)',
      'new EventTarget().addEventListener("a", () => {}, { signal: null })',
      'new AbortSignal()',
    ]
    for (const code of wrong) await expectSame(`return ${code}`)
  })

  test('of a class of one’s own', async () => {
    await expectSame(`class Mine extends EventTarget { on = 0; constructor() { super(); this.addEventListener('x', () => this.on++) } }
      const m = new Mine(); m.dispatchEvent(new CustomEvent('x', { detail: { a: 1 } })); const e = new CustomEvent('x', { detail: 5 })
      return [m.on, e.detail, new CustomEvent('x').detail, e instanceof Event, '' + e, Event.AT_TARGET]`)
  })

  test('a listener that throws is printed, and the others are called', () => {
    const module = `export default () => { const t = new EventTarget(); let n = 0
      t.addEventListener('a', () => { throw new Error('first') }); t.addEventListener('a', () => n++); t.dispatchEvent(new Event('a')); return n }`
    expect(returned(module)).toBe(1)
    expect(perform(module).console).toMatchObject([
      { level: 'error', text: expect.stringContaining('Uncaught Error: first') },
    ])
  })
})

describe('AbortController', () => {
  test('aborts once, with a reason', async () => {
    await expectSame(`const c = new AbortController(); const seen = []; const { signal } = c
      signal.onabort = (e) => seen.push(['on', e.type, e.target === signal]); signal.addEventListener('abort', () => seen.push('listener')); signal.onabort = () => seen.push('on again')
      const before = [signal.aborted, signal.reason, signal.throwIfAborted()]; c.abort('why'); c.abort('again')
      return [before, signal.aborted, signal.reason, seen, c.signal === signal, (() => { try { signal.throwIfAborted() } catch (e) { return e } })()]`)
    await expectSame(
      `const c = new AbortController(); c.abort(); const { reason } = c.signal; return [reason.name, reason.code, reason.message, reason instanceof DOMException, reason instanceof Error]`,
    )
  })

  test('any: follows all, and those that they follow', async () => {
    // In the order in which they came to follow it, as the standard has it; Node turns that around.
    const module = `export default () => { const [a, b] = [new AbortController(), new AbortController()]; const ab = AbortSignal.any([a.signal, b.signal]); const deep = AbortSignal.any([ab]); const order = []
      deep.addEventListener('abort', () => order.push('deep')); ab.addEventListener('abort', () => order.push('ab')); b.signal.addEventListener('abort', () => order.push(['b', ab.aborted, deep.aborted]))
      b.abort(7); a.abort(8); return [order, ab.reason, deep.reason, AbortSignal.any([]).aborted, AbortSignal.any([AbortSignal.abort(1), b.signal]).reason] }`
    expect(returned(module)).toEqual([[['b', true, true], 'ab', 'deep'], 7, 7, false, 1])
    await expectSame('return AbortSignal.any([{}])')
  })
})

describe('DOMException', () => {
  test('is as Web IDL says', async () => {
    await expectSame(
      `const e = new DOMException('m', x); return [e.name, e.message, e.code, '' + e, e instanceof Error, Object.prototype.toString.call(e)]`,
      [
        'AbortError',
        'TimeoutError',
        'DataCloneError',
        'NotFoundError',
        'Odd',
        'IndexSizeError',
        'QuotaExceededError',
        'SyntaxError',
      ],
    )
    await expectSame(
      `return [new DOMException().name, new DOMException().message, new DOMException('m', { name: 'N', cause: 3 }).cause, DOMException.ABORT_ERR, DOMException.prototype.NOT_FOUND_ERR, DOMException.DATA_CLONE_ERR, DOMException.INVALID_CHARACTER_ERR, DOMException.URL_MISMATCH_ERR, DOMException.NO_MODIFICATION_ALLOWED_ERR]`,
    )
  })

  test('has a stack', () => {
    const text = returned('export default () => { const f = () => new DOMException("m", "N").stack; return f() }')
    expect(text).toContain('at f (function.js')
  })
})

test('ctx.signal is an AbortSignal, and costs nothing until it is asked for', () => {
  const module = `export default (x, env, ctx) => [ctx.signal.aborted, ctx.signal === ctx.signal, ctx.signal instanceof AbortSignal, ctx.signal.reason === undefined]`
  expect(returned(module)).toEqual([false, true, true, true])
})
