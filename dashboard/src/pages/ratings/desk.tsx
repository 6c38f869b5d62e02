import { useState } from "preact/hooks";
import { addDays, dateOf } from "../../format";
import { hallNow } from "../../clock";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Raw } from "../../ui/card";
import { Form } from "../../ui/form";
import { FileImport, type Look } from "../../ui/import";
import { LEVELS } from "../../ui/levels";
import { DateField } from "../../ui/date";

interface Link {
  url: string;
  image: string;
}

function CounterChoice() {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  return (
    <label>
      {t("ratings.counter")}
      <select name="counter" required translate={false}>
        {counters.map((c) => (
          <option key={c.id} value={c.id}>
            {c.name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A day that is not to come. */
function Day() {
  const today = dateOf(hallNow());
  return (
    <DateField name="day" label={t("ratings.day")} required max={today} value={today} />
  );
}

interface VisitLook extends Look {
  counts: number;
  counters: number;
  sample: { counter: string; day: string; n: number }[];
}

/** The queue machine's CSV: served visits by counter and day; nothing else of it is kept. */
function QueueFile() {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  return (
    <>
      <FileImport<VisitLook>
        path="/ratings/visits/import"
        count={(look) => look.counts}
        looked={(look) =>
          t("ratings.looked", {
            n: look.counts,
            counters: look.counters,
            first: look.first ?? "—",
            last: look.last ?? "—",
          })
        }
        sample={(look) =>
          look.sample.map((one) => (
            <Raw>{`${counters.find((c) => c.id === one.counter)?.name ?? one.counter} ${one.day} ${one.n}`}</Raw>
          ))
        }
        taken={(look) => t("ratings.imported", { n: look.counts, fresh: look.new ?? 0 })}
        done={() => undefined}
      />
      <p class="second">{t("ratings.queueNote")}</p>
    </>
  );
}

/** Paper forms, visits and QR links: what a named person enters beside the pads. */
export function Desk() {
  const today = dateOf(hallNow());
  const [link, show] = useState<Link | null>(null);
  return (
    <details class="card entry-desk">
      <summary>{t("ratings.desk")}</summary>
      <div class="entry-forms">
        <section aria-label={t("ratings.paper")}>
          <h3>{t("ratings.paper")}</h3>
          <Form
            path="/ratings/paper"
            denied={t("common.forbidden")}
            body={(f) => ({
              counter: f.get("counter"),
              day: f.get("day"),
              form: f.get("form"),
              level: Number(f.get("level")),
            })}
          >
            <CounterChoice />
            <Day />
            <label>
              {t("ratings.form")}
              <input name="form" required maxLength={64} />
            </label>
            <label>
              {t("ratings.level")}
              <select name="level" required>
                <option value="">{t("common.choose")}</option>
                {LEVELS.map((level) => (
                  <option key={level} value={level}>
                    {word("level", String(level))}
                  </option>
                ))}
              </select>
            </label>
          </Form>
        </section>
        <section aria-label={t("ratings.visits")}>
          <h3>{t("ratings.visits")}</h3>
          <Form
            path="/ratings/visits"
            denied={t("common.forbidden")}
            body={(f) => ({ counter: f.get("counter"), day: f.get("day"), n: Number(f.get("n")) })}
          >
            <CounterChoice />
            <Day />
            <label>
              {t("ratings.visitCount")}
              <input type="number" name="n" required min={0} max={10000} />
            </label>
          </Form>
        </section>
        <section aria-label={t("ratings.queue")}>
          <h3>{t("ratings.queue")}</h3>
          <QueueFile />
        </section>
        <section aria-label={t("ratings.roster")}>
          <h3>{t("ratings.roster")}</h3>
          <Form
            path="/roster"
            denied={t("common.forbidden")}
            body={(f) => ({
              counter: f.get("counter"),
              person: f.get("person"),
              first: f.get("first"),
              last: f.get("last"),
            })}
          >
            <CounterChoice />
            <label>
              {t("ratings.person")}
              <input name="person" required maxLength={64} />
            </label>
            <DateField name="first" label={t("common.from")} required value={today} />
            <DateField name="last" label={t("common.to")} required value={today} />
          </Form>
        </section>
        <section aria-label={t("ratings.link")}>
          <h3>{t("ratings.link")}</h3>
          <Form<Link>
            path="/ratings/links"
            go={t("ratings.makeLink")}
            denied={t("common.forbidden")}
            done={show}
            body={(f) => ({ counter: f.get("counter"), until: f.get("until") })}
          >
            <CounterChoice />
            <DateField name="until" label={t("ratings.until")} required min={today} value={addDays(today, 365)} />
          </Form>
          {link && (
            <figure class="qr">
              <img src={link.image} alt={t("ratings.link")} width="180" height="180" />
              <figcaption translate={false}>{link.url}</figcaption>
            </figure>
          )}
          <p class="second">{t("ratings.linkNote")}</p>
        </section>
      </div>
    </details>
  );
}

