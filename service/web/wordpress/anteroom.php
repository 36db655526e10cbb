<?php
/**
 * Plugin Name: Anteroom for Akismet
 * Description: Lets the Akismet plugin ask this newsroom's own Anteroom instead of Akismet.
 *
 * A must-use plugin: it belongs into wp-content/mu-plugins/ and works from there by itself.
 * The Akismet plugin stays as it is; activate it as usual.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

// Where Anteroom runs, and the site's key there. A wp-config.php may say otherwise.
defined( 'ANTEROOM_URL' ) || define( 'ANTEROOM_URL', '@ADDRESS@' );
defined( 'ANTEROOM_KEY' ) || define( 'ANTEROOM_KEY', '@KEY@' );

// Akismet takes a key from here if there is one; without, it asks for one on its settings page.
if ( ANTEROOM_KEY && ! defined( 'WPCOM_API_KEY' ) ) {
	define( 'WPCOM_API_KEY', ANTEROOM_KEY );
}

/**
 * Leads what is meant for Akismet to Anteroom, everything else about the request unchanged.
 *
 * @param false|array|WP_Error $answer What another plugin answered already, or false.
 * @param array                $args   The request.
 * @param string               $url    Its address.
 * @return false|array|WP_Error
 */
function anteroom_answer( $answer, $args, $url ) {
	$host = strtolower( (string) wp_parse_url( $url, PHP_URL_HOST ) );
	if ( 'rest.akismet.com' !== $host && '.rest.akismet.com' !== substr( $host, -17 ) ) {
		return $answer;
	}
	$path  = (string) wp_parse_url( $url, PHP_URL_PATH );
	$query = (string) wp_parse_url( $url, PHP_URL_QUERY );
	unset( $args['headers']['Host'] );
	// Whatever Akismet's plugin falls back to, the text of a comment leaves by no other way.
	return wp_remote_request( rtrim( ANTEROOM_URL, '/' ) . $path . ( $query ? "?$query" : '' ), $args );
}
add_filter( 'pre_http_request', 'anteroom_answer', 10, 3 );
