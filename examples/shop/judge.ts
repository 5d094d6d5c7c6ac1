/** What is wrong with a day of the shop: by its books, and by what the bank and the post office did. */
import type { Order, OrderInput } from './shop.ts'
import type { Letter, Payment } from './sinks.ts'

export interface Books {
  stock: Readonly<Record<string, { left: number; price: number }>>
  inputs: readonly OrderInput[]
  /** What each order came to, as its customer was told. */
  answers: readonly Order[]
  left: ReadonlyMap<string, { left: number }>
  orders: ReadonlyMap<string, Order>
  sinks: { payments: readonly Payment[]; letters: readonly Letter[]; again: number; contradicted: number }
  /** So many wrong receipts of the liar were found. */
  liarCaught: number
  /** So many agents were killed meanwhile. */
  killed: number
}

export interface Day {
  /** By item: what was there, was sold and is left. */
  items: { name: string; had: number; sold: number; left: number }[]
  ordered: number
  paid: number
  declined: number
  soldOut: number
  cents: number
  mailed: number
  /** Requests that came a second time, and were not done again. */
  again: number
  liarCaught: number
  killed: number
  /** A sentence for each thing that is wrong. */
  wrong: readonly string[]
}

const count = <T>(all: readonly T[], is: (one: T) => boolean): number => all.filter(is).length

const itemsOf = ({ stock, orders, left }: Books): Day['items'] =>
  Object.entries(stock).map(([name, { left: had }]) => {
    const paid = [...orders.values()].filter((order) => order.item === name && order.state === 'paid')
    const sold = paid.reduce((sum, { pieces }) => sum + pieces, 0)
    return { name, had, sold, left: left.get(name)?.left ?? Number.NaN }
  })

/** Of one order: exactly one payment and one letter if it was paid, and none else. */
const orderFaults = (order: Order, { sinks, answers }: Books): string[] => {
  const { id, state, amount } = order
  const payments = sinks.payments.filter((one) => one.order === id)
  const letters = count(sinks.letters, (one) => one.order === id)
  const wanted = state === 'paid' ? 1 : 0
  const faults: string[] = []
  if (payments.length !== wanted) faults.push(`order ${id} is ${state}, and was paid ${payments.length} times`)
  if (letters !== wanted) faults.push(`order ${id} is ${state}, and ${letters} letters were sent`)
  if (state === 'reserved') faults.push(`order ${id} came to no end`)
  for (const one of payments)
    if (one.amount !== amount || one.payment !== order.payment)
      faults.push(`order ${id} has payment ${order.payment} of ${amount}, the bank ${one.payment} of ${one.amount}`)
  const told = answers.find((one) => one.id === id)
  if (told && JSON.stringify(told) !== JSON.stringify(order))
    faults.push(`order ${id} is not what its customer was told`)
  return faults
}

export const judge = (books: Books): Day => {
  const { inputs, orders, sinks, liarCaught, killed } = books
  const items = itemsOf(books)
  const all = [...orders.values()]
  const wrong = [
    ...items
      .filter(({ had, sold, left }) => sold + left !== had || left < 0)
      .map(({ name, had, sold, left }) => `of ${had} ${name} ${sold} were sold, and ${left} are left`),
    ...inputs.filter(({ id }) => !orders.has(id)).map(({ id }) => `order ${id} is not in the books`),
    ...all.flatMap((order) => orderFaults(order, books)),
    ...sinks.payments
      .filter(({ order }) => !orders.has(order))
      .map(({ order }) => `order ${order} was paid, and is none`),
    ...sinks.letters
      .filter(({ order }) => !orders.has(order))
      .map(({ order }) => `a letter about ${order}, which is none`),
    ...(sinks.contradicted > 0 ? [`${sinks.contradicted} requests came under a key of another`] : []),
  ]
  return {
    ...{
      items,
      ordered: inputs.length,
      paid: count(all, ({ state }) => state === 'paid'),
      mailed: sinks.letters.length,
    },
    declined: count(all, ({ state }) => state === 'declined'),
    soldOut: count(all, ({ state }) => state === 'sold out'),
    cents: sinks.payments.reduce((sum, { amount }) => sum + amount, 0),
    ...{ again: sinks.again, liarCaught, killed, wrong },
  }
}
