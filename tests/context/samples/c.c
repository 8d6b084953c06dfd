#include <stdio.h>
#include "pot.h"

#define LIMIT 3
#define POUR(cup) \
    pour(cup, LIMIT)

typedef struct pot {
    int size;
    struct leaf *leaves;
} pot_t;

struct cup {
    int size;
};

union water {
    int hot;
};

enum size {
    SMALL,
    LARGE
};

typedef int (*brew_fn)(pot_t *);
typedef unsigned long grams;

static const int most = 10;
int level = 0;
int boil(int degrees);

static char *
pour(pot_t *pot, int much)
{
    struct cup one;
    printf("%d", boil(much));
    pot->brew(pot);
    return (char *)steep(pot, (grams)1);
}
