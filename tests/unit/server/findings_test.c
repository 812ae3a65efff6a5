// SPDX-License-Identifier: MIT
// What findings look like as text and as JSON, whatever stands in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "findings.h"

#include <stdlib.h>
#include <string.h>

static char *shown;
static size_t size;
static struct taud_findings findings;

static void begin(bool json)
{
    findings = (struct taud_findings){.out = open_memstream(&shown, &size), .json = json};
    assert_non_null(findings.out);
    taud_findings_begin(&findings, "check", "a \"b\"");
}

static void expect(const char *expected)
{
    fclose(findings.out);
    assert_string_equal(shown, expected);
    free(shown);
}

static const struct taud_finding lost = {TAUD_FINDING_LOST, "segments/1.seg", 64,  30,
                                         "it is\n\"bad\"",  "3 points",       NULL};
static const struct taud_finding note = {TAUD_FINDING_NOTE, "log", 0, 0, "a\\b\x7f", "", NULL};

static void text_has_a_line_each(void **state)
{
    (void)state;
    struct taud_check_report report = {.segment_count = 1,
                                       .chunk_count = 2,
                                       .point_count = 30,
                                       .record_count = 1,
                                       .lost_points = 3,
                                       .findings = {1, 1, 1, 2}};
    begin(false);
    taud_findings_add(&findings, &(struct taud_finding){TAUD_FINDING_DAMAGED, "catalog", 0, 0,
                                                        "it is damaged", "", NULL});
    taud_findings_add(&findings,
                      &(struct taud_finding){TAUD_FINDING_LOST, "log", 8, 9, "x", "y", NULL});
    taud_findings_end(&findings, "DIR", &report, NULL);
    expect("damaged  catalog: it is damaged\n"
           "lost     log, 9 bytes at 8: x\n"
           "         lost: y\n"
           "DIR: 1 segment with 2 good chunks of 30 points, 0 catalog objects, 1 record in the "
           "log\n"
           "DIR: 2 damaged places, 1 of them with a loss, 3 points in all; 2 places could not be "
           "checked\n");
    begin(false);
    report = (struct taud_check_report){.findings = {7}};
    taud_findings_end(&findings, "DIR", &report, NULL);
    expect("DIR: 0 segments with 0 good chunks of 0 points, 0 catalog objects, 0 records in the "
           "log\n"
           "DIR: all is good\n");
    begin(false);
    taud_findings_end(&findings, "DIR", &report, "no");
    expect("");
}

// Series by their labels and identities, times as tau-cli prints them.
static void points_have_names_and_times(void **state)
{
    (void)state;
    static const struct tau_label plain = {"kitchen.\xc3\xa4"}, odd = {"\\a\n\0b"};
    static const struct {
        struct taud_finding_points points;
        const char *words;
    } cases[] = {
        {{7, 7, &plain, &plain, 1700000000000000000, 1700000000120000000},
         "kitchen.\xc3\xa4 (series 7), 2023-11-14T22:13:20Z to 2023-11-14T22:13:20.120Z"},
        {{7, 7, NULL, NULL, -1, 1},
         "series 7, 1969-12-31T23:59:59.999999999Z to "
         "1970-01-01T00:00:00.000000001Z"},
        {{1, 1, NULL, NULL, INT64_MIN, INT64_MAX},
         "series 1, 1677-09-21T00:12:43.145224192Z to "
         "2262-04-11T23:47:16.854775807Z"},
        {{7, 9, &odd, NULL, 0, 1000}, "\\x5Ca\\x0A\\x00b (series 7) to series 9"},
        {{7, 9, NULL, &plain, 0, 0}, "series 7 to kitchen.\xc3\xa4 (series 9)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[400];
        struct taud_finding finding = lost;
        finding.problem = "bad";
        finding.points = &cases[i].points;
        begin(false);
        taud_findings_add(&findings, &finding);
        snprintf(expected, sizeof expected,
                 "lost     segments/1.seg, 30 bytes at 64: bad\n"
                 "         lost: 3 points of %s\n",
                 cases[i].words);
        expect(expected);
    }
    begin(true);
    struct taud_finding finding = lost;
    finding.points = &cases[3].points;
    taud_findings_add(&findings, &finding);
    fclose(findings.out);
    assert_non_null(strstr(shown, "\"loss\": \"3 points of \\\\x5Ca\\\\x0A\\\\x00b (series 7) "
                                  "to series 9\"}"));
    free(shown);
}

static void json_is_one_object(void **state)
{
    (void)state;
    struct taud_check_report report = {.segment_count = 1, .findings = {1, 0, 1, 0}};
    begin(true);
    taud_findings_add(&findings, &lost);
    taud_findings_add(&findings, &note);
    taud_findings_end(&findings, "ignored", &report, NULL);
    expect("{\"command\": \"check\", \"directory\": \"a \\\"b\\\"\", \"findings\": [\n"
           "  {\"kind\": \"lost\", \"place\": \"segments/1.seg\", \"offset\": 64, \"size\": 30, "
           "\"problem\": \"it is\\u000a\\\"bad\\\"\", \"loss\": \"3 points\"},\n"
           "  {\"kind\": \"note\", \"place\": \"log\", \"offset\": 0, \"size\": 0, "
           "\"problem\": \"a\\\\b\\u007f\", \"loss\": \"\"}],\n"
           "  \"good\": {\"segments\": 1, \"chunks\": 0, \"points\": 0, \"catalog_objects\": 0, "
           "\"groups\": 0, \"records\": 0, \"log_bytes\": 0, \"torn_bytes\": 0, "
           "\"lost_points\": 0},\n  \"result\": \"damaged\"}\n");
}

static const char *result_of(const uint64_t found[TAUD_FINDING_KINDS], const char *failure)
{
    static char result[100];
    struct taud_check_report report = {0};
    memcpy(report.findings, found, sizeof report.findings);
    begin(true);
    taud_findings_end(&findings, "", &report, failure);
    fclose(findings.out);
    snprintf(result, sizeof result, "%s", strstr(shown, "\"result\""));
    free(shown);
    return result;
}

static void the_result_is_the_worst(void **state)
{
    (void)state;
    static const uint64_t good[] = {4, 0, 0, 0}, spare[] = {0, 1, 0, 0}, unknown[] = {0, 1, 1, 1};
    assert_string_equal(result_of(good, NULL), "\"result\": \"good\"}\n");
    assert_string_equal(result_of(spare, NULL), "\"result\": \"damaged\"}\n");
    assert_string_equal(result_of(unknown, NULL), "\"result\": \"unknown\"}\n");
    assert_string_equal(result_of(good, "n\to"),
                        "\"result\": \"unknown\", \"failure\": \"n\\u0009o\"}\n");
}

static void what_was_done_is_a_finding_too(void **state)
{
    (void)state;
    struct taud_check_report report = {.findings = {0}};
    begin(false);
    taud_findings_done(&findings, "log", "written anew", "8 bytes");
    taud_findings_done(&findings, "catalog", "written anew", "");
    expect("done     log: written anew\n"
           "         lost: 8 bytes\n"
           "done     catalog: written anew\n");
    begin(true);
    taud_findings_done(&findings, "log", "new", "");
    taud_findings_end(&findings, "", &report, NULL);
    fclose(findings.out);
    assert_non_null(strstr(shown, "{\"kind\": \"done\", \"place\": \"log\", \"offset\": 0, "
                                  "\"size\": 0, \"problem\": \"new\", \"loss\": \"\"}]"));
    free(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_a_line_each),
        cmocka_unit_test(points_have_names_and_times),
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(the_result_is_the_worst),
        cmocka_unit_test(what_was_done_is_a_finding_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
