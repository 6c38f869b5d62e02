import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError, post, query } from "../api";
import { t, word } from "../i18n";
import { Raw, whyOf } from "./card";
import { Outcome } from "./form";

/** What the gateway says of a machine's file, before and after it is taken. */
export interface Look {
  file: string;
  first: string | null;
  last: string | null;
  faults: { line: number; why: string; said: string }[];
  faulty: number;
  /** How many were new; null where nothing was taken. */
  new: number | null;
  imported_before?: boolean;
}

interface ImportProps<T extends Look> {
  path: string;
  /** How many records the file holds. */
  count: (look: T) => number;
  looked: (look: T) => string;
  sample: (look: T) => ComponentChildren[];
  taken: (look: T) => string;
  done: (look: T) => void;
}

const MOST = 4 * 1024 * 1024;

/** A machine's CSV: looked at first, each line that cannot be read named; taken whole or not at all. */
export function FileImport<T extends Look>({ path, count, looked, sample, taken, done }: ImportProps<T>) {
  const [file, setFile] = useState<File | null>(null);
  const [look, setLook] = useState<T | null>(null);
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const send = (picked: File, dry: boolean) => {
    setBusy(true);
    setFault("");
    say("");
    post<T>(`${path}${query({ file: picked.name.slice(0, 200), dry })}`, picked)
      .then(
        (answer) => {
          setLook(dry ? answer : null);
          if (dry) return;
          say(answer.new === null ? t("import.before") : taken(answer));
          setFile(null);
          done(answer);
        },
        (why: unknown) => {
          setLook(null);
          const unreadable = why instanceof ApiError && why.status === 422;
          setFault(unreadable ? t("import.unreadable") : t("common.notDone", { why: whyOf(why) }));
        },
      )
      .finally(() => setBusy(false));
  };
  const pick = (picked: File) => {
    setFile(picked);
    setLook(null);
    if (!picked.size || picked.size > MOST) setFault(t("import.size"));
    else send(picked, true);
  };
  const examples = look ? sample(look) : [];
  return (
    <>
      <div class="picked">
        <label class="button pick">
          {t("import.pick")}
          <input
            type="file"
            accept=".csv,text/csv,text/plain"
            key={file === null ? "none" : "picked"}
            onChange={(e) => {
              const picked = e.currentTarget.files?.[0];
              if (picked) pick(picked);
            }}
          />
        </label>
        {file ? <Raw>{file.name}</Raw> : <span class="second">{t("import.file")}</span>}
      </div>
      {look && (
        <div class="look">
          <p>{look.imported_before ? t("import.before") : looked(look)}</p>
          {examples.length > 0 && (
            <ul class="second" aria-label={t("import.sample")}>
              {examples.map((one, i) => (
                <li key={i}>{one}</li>
              ))}
            </ul>
          )}
          {look.faulty > 0 && (
            <>
              <p class="form-fault">{t("import.faulty", { n: look.faulty })}</p>
              <ul class="faults">
                {look.faults.map((one) => (
                  <li key={`${one.line} ${one.said}`}>
                    {t("import.line", { n: one.line })} {word("lfault", one.why)}
                    {one.said && (
                      <>
                        {" "}
                        <Raw class="second">{one.said}</Raw>
                      </>
                    )}
                  </li>
                ))}
              </ul>
            </>
          )}
          <div class="actions">
            {file && !look.faulty && count(look) > 0 && !look.imported_before && (
              <button type="button" class="button primary" disabled={busy} onClick={() => send(file, false)}>
                {t("import.take")}
              </button>
            )}
            <button type="button" class="button" onClick={() => (setFile(null), setLook(null))}>
              {t("common.cancel")}
            </button>
          </div>
        </div>
      )}
      <Outcome said={said} fault={fault} />
    </>
  );
}
