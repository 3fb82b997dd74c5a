/**
 * Matches characters that a person would not see, or not for what they are: controls, the first
 * characters of escape sequences, format characters (bidi controls, zero-width ones, tags, the soft
 * hyphen), private and unassigned code points, lone surrogates, every separator but the plain
 * space, and what only looks empty (Unicode 16, UAX #44: General_Category C and Z,
 * Default_Ignorable_Code_Point; U+2800). Also the fourth and later combining marks on one letter,
 * since a higher stack covers the lines around it. For `matchAll` and `replace` only, because
 * `test` would remember its position.
 */
export const unseen = /(?! )[\p{C}\p{Z}\p{DI}\u2800]|(?<=\p{M}{3})\p{M}/gu
