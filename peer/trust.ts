/** How far an executor's word is taken: probation, the floor of audits, and the test that ends in expulsion. Pure. */

/** So many receipts of a new executor are all audited (README.md, "How sure is an answer?"). */
export const PROBATION_RECEIPTS = 50
/**
 * After it, this share of its receipts, for ever. An executor that lies is caught after (1 − a) / a wrong results on
 * average, a = AUDIT_FLOOR times the share of verifiers that do not collude with it.
 */
export const AUDIT_FLOOR = 0.06
/** Share of receipts in which honest machines err, uncorrelated (Kondo et al., 2007). */
export const HONEST_ERROR_RATE = 0.002
/**
 * The rate of wrong receipts that the sequential test tells from it. The two balance at 0.8 %, so that one who lies in a
 * hundredth is expelled as well, and after six wrong ones in a row anybody (docs/decisions/0064-how-far-back.md).
 */
const LIAR_ERROR_RATE = 0.022
/** ln of the mean number of an honest executor's audited receipts between two false alarms, at least (Lorden, 1971). */
const EXPEL_AT = Math.log(1_000_000)

/** Of whoever has signed what no machine signs by mistake. */
export const SUSPICION_PROVEN = EXPEL_AT

/**
 * Right receipts of its own that a peer must have given before it is taken on trust, for each charge on those who let it in
 * (docs/decisions/0079-whoever-lets-in-answers.md).
 */
export const RIGHTS_A_CHARGE = 100
/** Right receipts of all whom somebody let in that make up for one charge. */
export const RIGHTS_MAKE_UP = 5000
/** Part of a charge that the founder of the mesh bears for the guests of its guests. */
const FOUNDER_PART = 0.5

const WRONG_STEP = Math.log(LIAR_ERROR_RATE / HONEST_ERROR_RATE)
const RIGHT_STEP = Math.log((1 - LIAR_ERROR_RATE) / (1 - HONEST_ERROR_RATE))
/** Of the suspicion that one wrong receipt brings, a quarter has gone. */
const CLEARED_AT = 0.75 * WRONG_STEP

/** `probation`: all its receipts are audited; `suspended`: not asked while its earlier receipts are checked again. */
export type TrustState = 'probation' | 'trusted' | 'suspended' | 'expelled'

/** What a home knows of one executor, first-hand. */
export interface TrustView {
  /** Receipts found right since the executor came, or since it was last caught. */
  readonly probation: number
  /** Page's cumulative sum of log-likelihood ratios, liar against honest. */
  readonly suspicion: number
}

/**
 * How many of its receipts are all audited before any is taken on trust; 0: its probation is over. `rights`: its receipts
 * that were found right, ever; `charges`: what weighs on those who let it in; `wanted`: right ones that those who vouch for
 * it, or itself, have still to give before their word counts.
 */
export const probationLeft = ({ probation }: TrustView, rights: number, charges: number, wanted: number): number =>
  Math.max(0, PROBATION_RECEIPTS - probation, Math.ceil(RIGHTS_A_CHARGE * charges) - rights, wanted)

/**
 * How many right receipts one who vouches, or nobody does for, has still to give before its word counts; 0 or less: it does. By
 * those of itself and of its guests, what weighs on the founder, and on itself: what a stranger must have given,
 * and once more for each guest that was expelled (docs/decisions/0086-operators-who-vouch.md).
 */
export const wordLeft = (rights: number, founderCharges: number, charges: number): number =>
  Math.ceil(RIGHTS_A_CHARGE * founderCharges * (1 + charges)) - rights

/**
 * What weighs on one of a line of `length` peers when the first of them is expelled; `above`: its place. In full on each of
 * them: were it less for those further up, a chain of members that are made for it would hide who stands above them. The
 * founder alone, who stands above all, bears a part for those whom it has not let in itself.
 */
export const chargesAfterExpulsion = (charges: number, above: number, length: number): number =>
  charges + (above > 1 && above === length - 1 ? FOUNDER_PART : 1)

/** After one more right receipt of one whom it let in. None can be saved up for a guest that is still to be expelled. */
export const chargesAfterRight = (charges: number): number => Math.max(0, charges - 1 / RIGHTS_MAKE_UP)

/** Is a receipt released unaudited? By what is left of its signer's probation and a number drawn in [0, 1). */
export const isTakenOnTrust = (left: number, drawn: number): boolean => left === 0 && drawn >= AUDIT_FLOOR

/** `probation` after one more receipt that was checked. One `released` long ago does not end it. */
export const probationAfter = ({ probation }: TrustView, wrong: boolean, released: boolean): number => {
  if (wrong) return 0
  return released ? probation : probation + 1
}

/**
 * Is it enough of what was taken on trust that has been checked again? After one slip of an honest machine, once some 30 of
 * its receipts were right; of one that goes on being wrong, everything is looked at.
 */
export const isCleared = ({ suspicion }: TrustView): boolean => suspicion <= CLEARED_AT

/** Nothing takes it back. */
export const isExpelled = ({ suspicion }: TrustView): boolean => suspicion >= EXPEL_AT

/**
 * Page's CUSUM of Wald's sequential test (Page, 1954) after one more audited receipt: right ones never make up for more
 * than the suspicion there is, so that none can be saved up.
 */
export const suspicionAfter = (view: TrustView, wrong: boolean): number =>
  isExpelled(view) ? view.suspicion : Math.max(0, view.suspicion + (wrong ? WRONG_STEP : RIGHT_STEP))
