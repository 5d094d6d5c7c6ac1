/** zod: which of these orders are what they should be, and what is wrong with the others. */
import { z } from 'zod'

const Order = z.object({
  id: z.uuid(),
  email: z.email(),
  lines: z.array(z.object({ sku: z.string().regex(/^[A-Z]{3}-\d+$/), count: z.int().positive() })).min(1),
  note: z.string().trim().default(''),
})

export default function check(orders: unknown[]) {
  return orders.map((order) => {
    const read = Order.safeParse(order)
    return read.success ? read.data : read.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`)
  })
}
