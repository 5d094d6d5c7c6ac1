import { describe, expect, test } from 'vitest'
import { Gate, Gates } from './gate.ts'

const never = Promise.withResolvers<never>().promise
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('a gate', () => {
  /** Comes, and notes its name once it is inside. */
  const scene = () => {
    const gate = new Gate()
    const inside: string[] = []
    const come = (name: string, alone = false) => {
      const { entered, leave } = gate.come(alone)
      entered.then(() => inside.push(name))
      return () => {
        leave()
        if (inside.includes(name)) inside.splice(inside.indexOf(name), 1)
      }
    }
    return { gate, inside, come }
  }

  test('lets everybody in at once, until somebody wants to be alone', async () => {
    const { gate, inside, come } = scene()
    const [a, b] = [come('a'), come('b')]
    const alone = come('alone', true)
    const c = come('c')
    await settle()
    expect(inside).toEqual(['a', 'b'])
    a()
    await settle()
    expect(inside).toEqual(['b'])
    b()
    await settle()
    expect(inside).toEqual(['alone'])
    alone()
    await settle()
    expect(inside).toEqual(['c'])
    expect(gate.isIdle).toBe(false)
    c()
    expect(gate.isIdle).toBe(true)
  })

  test('gives turns in the order in which they were asked for', async () => {
    const { inside, come } = scene()
    const first = come('first', true)
    const second = come('second', true)
    await settle()
    expect(inside).toEqual(['first'])
    first()
    await settle()
    expect(inside).toEqual(['second'])
    second()
  })

  test('whoever gives up a place that it waited for holds up nobody, and leaving twice does nothing', async () => {
    const { gate, inside, come } = scene()
    const a = come('a')
    const alone = come('alone', true)
    const b = come('b')
    await settle()
    expect(inside).toEqual(['a'])
    alone()
    await settle()
    expect(inside).toEqual(['a', 'b'])
    a()
    a()
    expect(gate.isIdle).toBe(false)
    b()
    expect(gate.isIdle).toBe(true)
  })
})

describe('gates', () => {
  test('of other namespaces are no concern of a turn', async () => {
    const gates = new Gates()
    const leave = await gates.enter(['a', 'b'], true, never)
    const other = await gates.enter(['c'], false, never)
    let isIn = false
    const third = gates.enter(['c', 'b'], false, never)
    third.then(() => {
      isIn = true
    })
    await settle()
    expect(isIn).toBe(false)
    leave()
    for (const one of [other, await third]) one()
    expect(gates.size).toBe(0)
  })

  test('are left again by who is late', async () => {
    const gates = new Gates()
    const leave = await gates.enter(['a', 'b'], true, never)
    const late = Promise.withResolvers<never>()
    const waiting = gates.enter(['b', 'c'], true, late.promise)
    late.reject(new Error('late'))
    await expect(waiting).rejects.toThrow('late')
    leave()
    expect(gates.size).toBe(0)
  })

  test('two that want the same alone, in whatever order they name it, come one after the other', async () => {
    const gates = new Gates()
    const first = gates.enter(['a', 'b'], true, never)
    const second = gates.enter(['b', 'a'], true, never)
    const leave = await first
    leave()
    ;(await second)()
    expect(gates.size).toBe(0)
  })
})
