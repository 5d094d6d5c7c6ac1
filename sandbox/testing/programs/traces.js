// Runs whose memory is hashed at each tick: computing, at the end of the stack, and between answers.

export const computes = () => {
  const all = []
  for (let i = 0; i < 6000; i++) all[i % 500] = { i, text: `${i}é`, half: i / 2 }
  return all.length
}

/** Ticks come while the stack is as deep as it can be. */
export const deep = () => {
  let sum = 0
  let [depth, deepest] = [0, 0]
  const down = () => {
    if (++depth > deepest) deepest = depth
    try {
      down()
    } catch {
      if (depth === deepest) for (let i = 0; i < 8000; i++) sum += i % 7
    }
    depth--
  }
  down()
  return [deepest, sum]
}

const count = (n) => {
  let sum = 0
  for (let i = 0; i < 2000; i++) sum += (i * n) % 11
  return sum
}

export const asks = async (_input, _env, ctx) => {
  const seen = [count(1)]
  const ask = async (n) => {
    const answer = await ctx.call('#echo', n)
    seen.push([answer, count(n)])
  }
  await Promise.all([ask(2), ask(3), ask(5)])
  return seen
}
