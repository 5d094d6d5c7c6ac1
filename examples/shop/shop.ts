/** A shop: stock, orders, a payment for each, and a letter to whoever paid. */
import type { Fetcher, State } from 'wayside'

interface Env {
  DB: State
  PAY: Fetcher
  MAIL: Fetcher
}

interface Settings {
  /** Where payments are made and letters handed in: `sinks.ts`. */
  service: string
}

interface Item {
  left: number
  /** In cents. */
  price: number
}

export interface OrderInput {
  id: string
  item: string
  pieces: number
  customer: string
}

export interface Order extends OrderInput {
  amount: number
  state: 'reserved' | 'paid' | 'declined' | 'sold out'
  payment: string | null
}

/** Fills the shelves: `{ tea: { left: 100, price: 350 } }`. */
export function open({ service, stock }: Settings & { stock: Record<string, Item> }, { DB }: Env) {
  DB.put('settings', { service })
  for (const [name, item] of Object.entries(stock)) DB.put(`stock/${name}`, item)
  return Object.keys(stock).length
}

const kept = <T>(value: unknown, what: string): T => {
  if (value === null) throw new Error(`there is no ${what} here: open the shop first`)
  return value as T
}

/** Takes what is ordered off the shelf, has it paid, and tells the customer. The same order again changes nothing. */
export default async function order(input: OrderInput, { DB, PAY, MAIL }: Env): Promise<Order> {
  const book = (booked: Order): Order => {
    DB.put(`order/${booked.id}`, { ...booked })
    return booked
  }
  const known = await DB.get(`order/${input.id}`)
  if (known !== null) return known as unknown as Order
  const { service } = kept<Settings>(await DB.get('settings'), 'address of the bank')
  const item = kept<Item>(await DB.get(`stock/${input.item}`), input.item)
  const ordered = { ...input, amount: input.pieces * item.price, payment: null }
  if (item.left < input.pieces) return book({ ...ordered, state: 'sold out' })
  DB.put(`stock/${input.item}`, { ...item, left: item.left - input.pieces })
  book({ ...ordered, state: 'reserved' })

  // What was written up to here is verified and committed before anybody pays.
  const body = JSON.stringify({ order: input.id, customer: input.customer, amount: ordered.amount })
  const paid = await PAY.fetch(`${service}/pay`, { method: 'POST', body })
  if (!paid.ok) {
    const now = kept<Item>(await DB.get(`stock/${input.item}`), input.item)
    DB.put(`stock/${input.item}`, { ...now, left: now.left + input.pieces })
    return book({ ...ordered, state: 'declined' })
  }
  const { payment } = (await paid.json()) as { payment: string }
  const letter = { order: input.id, to: input.customer, text: `${input.pieces} × ${input.item}: paid, thank you.` }
  MAIL.send(`${service}/mail`, { method: 'POST', body: JSON.stringify(letter) })
  return book({ ...ordered, state: 'paid', payment })
}
