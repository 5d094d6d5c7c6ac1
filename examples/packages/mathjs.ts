/** mathjs: expressions, matrices, units, symbols and big numbers. */
import { all, create } from 'mathjs'

const math = create(all ?? {}, { predictable: true })

export default function compute({ expression, scope }: { expression: string; scope: Record<string, number> }) {
  return {
    value: math.format(math.evaluate(expression, scope), { precision: 12 }),
    derivative: math.derivative('x^3 + 2 x', 'x').toString(),
    inverse: math.format(
      math.inv(
        math.matrix([
          [4, 7],
          [2, 6],
        ]),
      ),
      { precision: 6 },
    ),
    unit: math.unit('90 km/h').to('m/s').toString(),
    solved: math.format(
      math.lusolve(
        [
          [2, 1],
          [1, 3],
        ],
        [5, 10],
      ),
      { precision: 6 },
    ),
    third: math.bignumber(1).div(3).toString(),
  }
}
