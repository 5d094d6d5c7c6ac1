/** `node examples/shop/main.ts [orders]`: a day of the shop, and what was sold, paid and mailed. Exit status 1: something is wrong. */
import { seededRandom } from '../../simulations/random.ts'
import { runDay } from './day.ts'

const orders = Number(process.argv[2] ?? 120)
const seed = Number(process.env.WAYSIDE_SEED ?? Math.floor(Math.random() * 2 ** 32))
const say = (line: string) => console.log(`· ${line}`)
const euros = (cents: number) => `€${(cents / 100).toFixed(2)}`

say(`seed ${seed}: WAYSIDE_SEED=${seed} takes the same orders again`)
const kills = Math.ceil(orders / 12)
const day = await runDay({ orders, kills, homeKills: Math.ceil(kills / 4), random: seededRandom(seed), say })
for (const { name, had, sold, left } of day.items)
  console.log(`${name.padEnd(8)}${had} there, ${sold} sold, ${left} left`)
console.log(`orders  ${day.paid} paid, ${day.declined} declined, ${day.soldOut} sold out`)
console.log(`bank    ${euros(day.cents)} in ${day.paid} payments; letters: ${day.mailed}`)
console.log(`again   ${day.again} requests came twice, and were done once`)
console.log(`liar    caught ${day.liarCaught} times`)
for (const sentence of day.wrong) console.log(`wrong: ${sentence}`)
console.log(day.wrong.length === 0 ? 'nothing was sold, paid or mailed twice' : `${day.wrong.length} things are wrong`)
process.exitCode = day.wrong.length === 0 ? 0 : 1
