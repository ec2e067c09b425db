"""Names of columns, held once: every table of the project uses these and no others."""

USER = "user_id"
MOVIE = "movie_id"
RATING = "rating"
TIMESTAMP = "timestamp"
RATINGS = [USER, MOVIE, RATING, TIMESTAMP]

TITLE = "title"
YEAR = "year"
GENRES = "genres"
MOVIES = [MOVIE, TITLE, YEAR, GENRES]

GENDER = "gender"
AGE = "age_group"
OCCUPATION = "occupation"
ZIP = "zip_code"
USERS = [USER, GENDER, AGE, OCCUPATION, ZIP]

SCORE = "score"
RANK = "rank"
TOPK = [USER, MOVIE, RANK, SCORE]

PREDICTED = "predicted"
PREDICTIONS = [USER, MOVIE, RATING, PREDICTED]

METRIC = "metric"
K = "k"
VALUE = "value"
PER_USER = [USER, METRIC, K, VALUE]
