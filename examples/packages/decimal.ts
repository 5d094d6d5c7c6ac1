/** decimal.js: interest to the last digit. */
import { Decimal } from 'decimal.js'

const Money = Decimal.clone({ precision: 40, rounding: Decimal.ROUND_HALF_EVEN })

export default function grow({ amount, rate, years }: { amount: string; rate: string; years: number }) {
  return {
    exact: new Money(amount).times(new Money(1).plus(rate).pow(years)).toString(),
    cents: new Money(amount).times(new Money(1).plus(rate).pow(years)).toFixed(2),
    e: Money.exp(1).toString(),
    sum: new Money(0.1).plus(0.2).equals(0.3),
  }
}
