import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundle } from '../../sdk/bundle/bundle.ts'
import { type Books, judge } from './judge.ts'
import type { Order } from './shop.ts'

const sold = (id: string, changes: Partial<Order> = {}): Order => ({
  ...{ id, item: 'tea', pieces: 2, customer: 'Ada', amount: 700, state: 'paid', payment: `P${id}` },
  ...changes,
})

/** Two orders, of which one was paid. */
const books = (changes: Partial<Books> = {}): Books => {
  const orders = [sold('1'), sold('2', { state: 'declined', payment: null })]
  return {
    stock: { tea: { left: 10, price: 350 } },
    inputs: orders,
    answers: orders,
    left: new Map([['tea', { left: 8 }]]),
    orders: new Map(orders.map((one) => [one.id, one])),
    sinks: {
      payments: [{ payment: 'P1', order: '1', customer: 'Ada', amount: 700 }],
      letters: [{ order: '1', to: 'Ada', text: 'thank you' }],
      ...{ again: 3, contradicted: 0 },
    },
    ...{ liarCaught: 1, killed: 1 },
    ...changes,
  }
}
const { sinks } = books()
const [payment, letter] = [sinks.payments[0]!, sinks.letters[0]!]

test('a day on which each order was paid and mailed once is right', () => {
  const { items, wrong, paid, declined, cents, mailed } = judge(books())
  expect({ items, wrong, paid, declined, cents, mailed }).toEqual({
    ...{ items: [{ name: 'tea', had: 10, sold: 2, left: 8 }], wrong: [], paid: 1, declined: 1, cents: 700, mailed: 1 },
  })
})

test.each<[says: string, changes: Partial<Books>]>([
  ['of 10 tea 2 were sold, and 6 are left', { left: new Map([['tea', { left: 6 }]]) }],
  ['order 1 is paid, and was paid 2 times', { sinks: { ...sinks, payments: [payment, payment] } }],
  ['order 1 is paid, and was paid 0 times', { sinks: { ...sinks, payments: [] } }],
  [
    'order 2 is declined, and was paid 1 times',
    { sinks: { ...sinks, payments: [payment, { ...payment, order: '2' }] } },
  ],
  ['order 1 is paid, and 2 letters were sent', { sinks: { ...sinks, letters: [letter, letter] } }],
  ['order 9 was paid, and is none', { sinks: { ...sinks, payments: [payment, { ...payment, order: '9' }] } }],
  ['a letter about 9, which is none', { sinks: { ...sinks, letters: [letter, { ...letter, order: '9' }] } }],
  ['order 1 has payment P1 of 700, the bank P1 of 1', { sinks: { ...sinks, payments: [{ ...payment, amount: 1 }] } }],
  ['order 1 is not what its customer was told', { answers: [sold('1', { pieces: 3 })] }],
  ['1 requests came under a key of another', { sinks: { ...sinks, contradicted: 1 } }],
  ['order 7 is not in the books', { inputs: [sold('7')] }],
])('%s', (says, changes) => {
  expect(judge(books(changes)).wrong).toContain(says)
})

test('it is bundled with what wayside.json grants', async () => {
  const { name, exports, effects, env } = await bundle(new URL('./shop.ts', import.meta.url))
  expect({ name, exports, effects }).toEqual({
    ...{ name: 'shop', exports: ['default', 'open'], effects: ['fetch', 'get', 'list', 'put', 'send'] },
  })
  expect(env).toEqual(JSON.parse(readFileSync(new URL('./wayside.json', import.meta.url), 'utf8')).env)
})
