/** Says things in the reader's language: strings, money, times. */

/** The composer of the script puts STRINGS before the modules: language → key → text. */
const LANGUAGES = Object.keys(STRINGS);
/** Where a page says no more than "es", numbers and dates are written as most of Latin America does. */
const REGIONS = { es: "es-419" };

export class Words {
  /** @param {string} tag a language tag such as "es", "es-PE" or "en" */
  constructor(tag) {
    this.language = LANGUAGES.includes(languageOf(tag)) ? languageOf(tag) : LANGUAGES[0];
    const isRegional = tag?.length > 2 && languageOf(tag) === this.language;
    this.tag = isRegional ? tag : (REGIONS[this.language] ?? this.language);
  }

  /** Return a string with its {placeholders} filled. */
  t(key, values = {}) {
    return STRINGS[this.language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  number(value) {
    return new Intl.NumberFormat(this.tag).format(value);
  }

  /** @param {{amount_minor: number, currency: string}} price */
  money({ amount_minor: minor, currency }) {
    const format = new Intl.NumberFormat(this.tag, {
      style: "currency",
      currency,
      currencyDisplay: "code",
      trailingZeroDisplay: "stripIfInteger",
    });
    return format.format(minor / 10 ** minorDigitsOf(currency));
  }

  time(date) {
    const parts = { hour: "numeric", minute: "2-digit", hour12: this.language === "en" };
    return new Intl.DateTimeFormat(this.tag, parts).format(date);
  }

  /** Return "hoy", "ayer" or a date. */
  day(date) {
    const days = Math.round((midnightOf(new Date()) - midnightOf(date)) / 86_400_000);
    if (days < 2) {
      return new Intl.RelativeTimeFormat(this.tag, { numeric: "auto" }).format(-days, "day");
    }
    return new Intl.DateTimeFormat(this.tag, { dateStyle: "long" }).format(date);
  }
}

function languageOf(tag) {
  return (tag || "").slice(0, 2).toLowerCase();
}

function midnightOf(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function minorDigitsOf(currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.resolvedOptions().maximumFractionDigits;
}
