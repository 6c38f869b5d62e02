import type { FunctionComponent } from "preact";
import { ApiError } from "../api";
import { t } from "../i18n";
import { Card, Failed, Loading } from "./card";
import { useFetched } from "./fetch";

/** A page whose code is fetched when it is first opened, so that a first visit stays small. */
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  return function Later(props: P) {
    const { data, fault, reload } = useFetched(
      () =>
        load().then(
          (Page) => ({ Page }),
          (why: unknown) => {
            throw new ApiError(0, String(why));
          },
        ),
      [],
    );
    if (data) return <data.Page {...props} />;
    return <Card title={t("common.page")}>{fault ? <Failed fault={fault} retry={reload} /> : <Loading rows={5} />}</Card>;
  };
}
